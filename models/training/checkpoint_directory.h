// The checkpoints of a training run: numbered generations in one directory, the last few and the best of which are
// kept.
//
// * DIR/model-43000.safetensors: the variables but those below Training/, so what the model is
// * DIR/model-43000.state.safetensors: those below Training/, and as metadata the progress, so how training goes on
// * DIR/checkpoints.json: which generations there are, with epoch and loss
// * DIR/checkpoints.lock: held by the process that writes
//
//   CheckpointDirectory checkpoints("run", {.keep = 3});
//   checkpoints.Write(variables, {.step = 43000, .epoch = 100, .loss = 104.2, .progress = {{"seed", "1"}}});
//
//   LatestGeneration latest = LatestValid("run");
//   Metadata progress = RestoreGeneration(*latest.generation, variables);
//
// A process may be killed at any moment: each file is written durably, in the order weights, state, index, and only
// then what is no longer kept is deleted; so the generation before is complete until the next one is. The lock file
// says which generation is being written, so that half of one is known for what it is, and deleted, by who comes next.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "weft/graph/runtime/checkpoint.h"
#include "weft/graph/runtime/file_system.h"

namespace weft {

inline constexpr std::string_view kTrainingScope = "Training";
inline constexpr const char* kCheckpointLock = "checkpoints.lock";

struct Generation {
  int64_t step = 0;
  int64_t epoch = 0;
  std::optional<double> loss = {};  // of the validation set; lower is better
  std::filesystem::path weights = {}, state = {};
};

// All generations of the index, the oldest first, and behind them newer ones that the index does not know yet: their
// process was killed before it could say so. None is read. Throws std::system_error if there is no such directory.
std::vector<Generation> ListGenerations(const std::filesystem::path& directory);

struct LatestGeneration {
  std::optional<Generation> generation = {};
  std::vector<std::string> skipped = {};  // a sentence for each newer one that is not whole, and for a damaged index
};

// The newest generation both of whose files are whole and belong together, with all checksums compared. Throws
// std::system_error if there is no such directory, CheckpointError if the index is of a newer version.
LatestGeneration LatestValid(const std::filesystem::path& directory);

// Fills every variable of the store, those below Training/ from the state, all others from the weights; all or nothing.
// Returns the progress. Throws like Restore.
Metadata RestoreGeneration(const Generation& generation, VariableStore& store);

struct KeepPolicy {
  int keep = 10;          // the newest, at least 1
  bool keep_best = true;  // and the one with the lowest loss
};

struct GenerationFacts {
  int64_t step = 0;
  int64_t epoch = 0;
  std::optional<double> loss = {};
  Metadata metadata = {};  // of the weights: what describes the model
  Metadata progress = {};  // of the state: what training needs to go on, seed, place in the epoch, sums …
};

// The writing side; one at a time for a directory.
class CheckpointDirectory {
 public:
  // Takes the lock, deletes temporary files and the half of a generation that dead processes left, and adopts complete
  // generations that the index does not know (all of them, if it is damaged). Throws std::system_error if the directory
  // does not exist, cannot be written or is in use by another process, CheckpointError for an index of a newer version,
  // GraphError for a policy that keeps nothing.
  explicit CheckpointDirectory(const std::filesystem::path& directory, const KeepPolicy& policy = {},
                               const FileSystem& system = {});

  // Writes a generation, then deletes those that the policy no longer keeps. The step must be above that of all others;
  // only the one that this object wrote last may come again, and is left as it is. Throws GraphError for another step,
  // and like Save: the generations before are then as they were, and nothing is left of the new one unless it is
  // complete.
  void Write(const VariableStore& store, const GenerationFacts& facts);

  // Gives up the generations after `step`, for a run that goes on from an older one; −1: all of them.
  void DeleteAfter(int64_t step);

  const std::vector<Generation>& List() const { return generations_; }  // the oldest first
  std::optional<Generation> Best() const;                               // with the lowest loss, if any has one

 private:
  void Commit(std::vector<Generation> all);
  void DeleteDropped();

  std::filesystem::path directory_;
  KeepPolicy policy_;
  FileSystem system_;
  FileLock lock_;
  std::vector<Generation> generations_;
  std::vector<int64_t> dropped_;  // steps of generations that are listed no more, but may not be deleted yet
  std::optional<int64_t> written_;
};

}  // namespace weft
