// Another program at work on a text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weft {

// What the program `command[0]`, which is looked for in PATH, writes to its output when it reads `input`. Throws
// UsageError with `remedy` if there is no such program, and OutputError if it ends with an error; what it says
// about that is on stderr.
std::string Filtered(const std::vector<std::string>& command, std::string_view input, std::string_view remedy);

}  // namespace weft
