// Scripts that complete the tool's command line in a shell, made from the options that the commands declare.
#pragma once

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace weft {

// For `shell`, "bash", "zsh" or "fish": commands, their options, the values of a choice, and paths.
std::string CompletionScript(const CLI::App& app, std::string_view shell);

}  // namespace weft
