// Strict numbers, and options that are given once.
#include "weft/examples/vae/arguments.h"

#include <charconv>
#include <cmath>
#include <span>
#include <system_error>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "weft/examples/vae/printable.h"
#include "weft/graph/path.h"

namespace weft {
namespace {

[[noreturn]] void Refuse(std::string_view option, std::string_view text, std::string_view expected) {
  throw UsageError(fmt::format("value: {}: got '{}', expected {}", option, Printable(text), expected));
}

}  // namespace

int64_t ParseWhole(std::string_view option, std::string_view text, WholeRange range) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < range.low || number > range.high) {
    Refuse(option, text, fmt::format("a whole number from {} to {}", range.low, range.high));
  }
  return number;
}

double ParseReal(std::string_view option, std::string_view text, RealRange range) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size() && std::isfinite(number);
  if (!is_number || number < range.low || number > range.high || (range.above_low && number == range.low)) {
    const bool comma = text.find(',') != std::string_view::npos;
    Refuse(option, text,
           fmt::format("a number {} {} to {}{}", range.above_low ? "above" : "from", range.low, range.high,
                       comma ? ", with a decimal point as in 0.001" : ""));
  }
  return number;
}

CLI::Option* Arguments::Declare(const std::string& name, const std::string& kind, const std::string& standard,
                                const std::string& meaning, std::function<void(const std::string&)> set) {
  const auto read = [name, set = std::move(set)](const CLI::results_t& texts) {
    if (texts.size() > 1) {
      throw UsageError(fmt::format("option given twice: {}: got '{}' and '{}', expected it once", name,
                                   Printable(texts[0]), Printable(texts[1])));
    }
    set(texts.at(0));
    return true;
  };
  CLI::Option* option = command_->add_option(name, read, meaning);
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->type_name(kind);
  if (!standard.empty()) option->default_str(standard);
  return option;
}

CLI::Option* Arguments::Each(const std::string& name, const std::string& kind, const std::string& meaning,
                             std::function<void(const std::string&)> set) {
  const auto read = [set = std::move(set)](const CLI::results_t& texts) {
    for (const std::string& text : texts) set(text);
    return true;
  };
  return command_->add_option(name, read, meaning)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name(kind);
}

CLI::Option* Arguments::Real(const std::string& name, double& to, RealRange range, const std::string& meaning) {
  return Declare(name, "X", fmt::format("{}", to), meaning,
                 [name, &to, range](const std::string& text) { to = ParseReal(name, text, range); });
}

CLI::Option* Arguments::Choice(const std::string& name, std::string& to, std::vector<std::string> of,
                               const std::string& meaning) {
  const std::string kind = fmt::format("{}", fmt::join(of, "|"));
  return Declare(name, kind, to, meaning, [name, &to, of = std::move(of)](const std::string& text) {
    const std::vector<std::string_view> known(of.begin(), of.end());
    if (std::ranges::find(of, text) == of.end()) {
      Refuse(name, text, fmt::format("one of {}{}", fmt::join(of, ", "), DidYouMean(text, known)));
    }
    to = text;
  });
}

CLI::Option* Arguments::Path(const std::string& name, std::filesystem::path& to, const std::string& meaning) {
  return Declare(name, "PATH", to.string(), meaning, [name, &to](const std::string& text) {
    if (text.empty()) Refuse(name, text, "a path");
    to = text;
  });
}

CLI::Option* Arguments::Flag(const std::string& name, bool& to, const std::string& meaning) {
  return command_->add_flag_callback(
      name, [&to] { to = true; }, meaning);
}

}  // namespace weft
