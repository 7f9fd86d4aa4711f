// What the tool's help texts say: which commands there are, their options and examples.
#pragma once

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "weft/tests/examples/tool_test.h"

namespace weft {

// The names under "Subcommands:" of vae --help.
inline std::vector<std::string> CommandNames() {
  std::vector<std::string> names;
  bool is_listed = false;
  for (const std::string& line : Lines(RunTool({"--help"}).out)) {
    if (is_listed && line.starts_with("  ") && line.at(2) != ' ')
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
    is_listed = line == "Subcommands:" || (is_listed && !line.empty());
  }
  if (names.size() < 10) throw std::logic_error("the help text lists its commands in another way");
  return names;
}

// "--epochs" and so on, of a command's own help text.
inline std::set<std::string> OptionNames(const std::string& help) {
  std::set<std::string> names;
  for (const std::string& line : Lines(help)) {
    const size_t begin = line.find("--");
    if (line.starts_with("  -") && begin < 6)
      names.insert(line.substr(begin, line.find_first_of(" =,", begin) - begin));
  }
  return names;
}

// What stands behind "Example: ", a command line for a shell.
inline std::string ExampleOf(const std::string& help) {
  constexpr std::string_view kExample = "Example: ";
  for (const std::string& line : Lines(help)) {
    if (line.starts_with(kExample)) return line.substr(kExample.size());
  }
  return {};
}

}  // namespace weft
