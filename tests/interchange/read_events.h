// Event files as the independent reader read_events.py sees them.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "weft/tests/examples/child_process.h"

namespace weft {

// The events of each file, which must be whole and right in every checksum, name and picture.
inline nlohmann::json ReadEvents(const std::vector<std::filesystem::path>& files) {
  std::vector<std::string> arguments = {"-B", WEFT_SOURCE_DIR "/tests/interchange/read_events.py"};
  for (const auto& file : files) arguments.push_back(file.string());
  const Outcome outcome = RunTool(arguments, {.binary = WEFT_PYTHON});
  if (outcome.code != 0) throw std::runtime_error("read_events.py: " + outcome.err);
  return nlohmann::json::parse(outcome.out);
}

inline nlohmann::json ReadEvents(const std::filesystem::path& file) {
  return ReadEvents(std::vector{file})[file.string()];
}

}  // namespace weft
