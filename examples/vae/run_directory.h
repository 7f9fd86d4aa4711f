// The directory of a training run: made for a new one, found again for one that goes on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "weft/examples/vae/options.h"
#include "weft/models/training/checkpoint_directory.h"

namespace weft {

struct RunDirectory {
  std::filesystem::path path;
  std::string id;  // its last component
};

RunDirectory RunDirectoryAt(const std::filesystem::path& path);

// Of a new run: options.out, or runs/ID with six random letters where no ID is given. Throws OutputError for a
// directory with something in it, other than what a run left that was killed before its first checkpoint was complete.
RunDirectory MakeRunDirectoryFor(const TrainOptions& options);

// The checkpoints of a run, for the one process that writes there; what a killed one left half written, pictures too,
// is deleted. Throws like CheckpointDirectory.
std::unique_ptr<CheckpointDirectory> OpenCheckpoints(const std::filesystem::path& directory, int64_t keep);

// Throws CheckpointError if there is no checkpoint in `directory`, complete or not; std::system_error if there is no
// such directory.
void RequireCheckpoints(const std::filesystem::path& directory);

// The newest complete checkpoint in `directory`; which damaged ones were skipped is noted on stderr. Throws
// std::system_error if there is no such directory, CheckpointError if there is no complete checkpoint, with all
// reasons.
Generation NewestGeneration(const std::filesystem::path& directory);

}  // namespace weft
