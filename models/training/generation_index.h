// The index of a checkpoint directory, checkpoints.json: which generations there are, and the names of their files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/models/training/checkpoint_directory.h"

namespace weft {

inline constexpr std::string_view kIndexName = "checkpoints.json";

struct GenerationIndex {
  std::vector<Generation> generations = {};  // the oldest first
  std::vector<int64_t> dropped = {};         // no longer kept, perhaps not deleted yet
  std::string problem = {};                  // why a damaged index was read as an empty one
};

// The names of a generation's files.
Generation GenerationAt(const std::filesystem::path& directory, int64_t step);

// The number in "model-43000.safetensors" or "model-43000.state.safetensors".
std::optional<int64_t> StepOf(const std::string& file_name);

// An empty one if there is none yet. Throws CheckpointError if it is of a newer version, which must not be overwritten.
GenerationIndex ReadGenerationIndex(const std::filesystem::path& directory);

std::string GenerationIndexText(const GenerationIndex& index, const std::optional<Generation>& best);

}  // namespace weft
