// Arguments: the options of one command, read strictly. A number is a number in decimal, a range has two ends, an
// option is given once; anything else is a UsageError that names the option, the text and what is expected.
//
//   Arguments arguments(command);                       // a sub-command of CLI11
//   arguments.Whole("--epochs", options.epochs, {1, 1'000'000}, "passes over the training images");
//   arguments.Real("--beta", options.beta, {.low = 0, .high = 1e6}, "weight of the divergence");
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/examples/vae/failure.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace weft {

struct WholeRange {
  int64_t low, high;
};

struct RealRange {
  double low, high;
  bool above_low = false;  // `low` itself is outside
};

// Decimal digits, perhaps behind a minus. `option` names it in the message.
int64_t ParseWhole(std::string_view option, std::string_view text, WholeRange range);

// A finite decimal number with a point, "0.001" or "1e-3".
double ParseReal(std::string_view option, std::string_view text, RealRange range);

class Arguments {
 public:
  explicit Arguments(CLI::App& command) : command_(&command) {}

  // Each declares an option whose default is what `to` holds. A `name` without dashes is a positional argument.
  template <std::integral T>
  CLI::Option* Whole(const std::string& name, T& to, WholeRange range, const std::string& meaning) {
    return Declare(name, "N", std::to_string(to), meaning,
                   [name, &to, range](const std::string& text) { to = static_cast<T>(ParseWhole(name, text, range)); });
  }
  CLI::Option* Real(const std::string& name, double& to, RealRange range, const std::string& meaning);
  CLI::Option* Choice(const std::string& name, std::string& to, std::vector<std::string> of,
                      const std::string& meaning);
  CLI::Option* Path(const std::string& name, std::filesystem::path& to, const std::string& meaning);
  // A text that `set` takes, or refuses by a UsageError.
  CLI::Option* Declare(const std::string& name, const std::string& kind, const std::string& standard,
                       const std::string& meaning, std::function<void(const std::string&)> set);
  // The same for an option that may be given again and again.
  CLI::Option* Each(const std::string& name, const std::string& kind, const std::string& meaning,
                    std::function<void(const std::string&)> set);
  CLI::Option* Flag(const std::string& name, bool& to, const std::string& meaning);

 private:
  CLI::App* command_;
};

}  // namespace weft
