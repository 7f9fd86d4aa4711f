// Names for runs.
#include "weft/examples/vae/run_directory.h"

#include <random>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/output.h"
#include "weft/examples/vae/printable.h"
#include "weft/graph/error.h"

namespace weft {
namespace {

constexpr const char* kRuns = "runs";

std::string RandomId() {
  std::random_device device;
  std::string id;
  for (int letter = 0; letter < 6; ++letter) id.push_back(static_cast<char>('a' + device() % 26));
  return id;
}

}  // namespace

RunDirectory RunDirectoryAt(const std::filesystem::path& path) {
  return {.path = path, .id = (path.has_filename() ? path : path.parent_path()).filename().string()};
}

RunDirectory MakeRunDirectoryFor(const TrainOptions& options) {
  std::filesystem::path path = options.out;
  if (path.empty()) {
    std::string id = options.run_id;
    while (id.empty() || (options.run_id.empty() && std::filesystem::exists(kRuns / std::filesystem::path(id))))
      id = RandomId();
    MakeDirectory(kRuns);
    path = kRuns / std::filesystem::path(id);
  }
  // A run was here: says so if it still is, and deletes what is no use to anybody.
  if (std::filesystem::exists(path / kCheckpointLock)) OpenCheckpoints(path, options.keep);
  MakeEmptyDirectory(path);
  return RunDirectoryAt(path);
}

std::unique_ptr<CheckpointDirectory> OpenCheckpoints(const std::filesystem::path& directory, int64_t keep) {
  auto checkpoints = std::make_unique<CheckpointDirectory>(directory, KeepPolicy{.keep = static_cast<int>(keep)});
  DeleteTemporaries(FileSystem(), directory,
                    [](const std::string& target) { return target.ends_with(".png") || target.ends_with(".csv"); });
  return checkpoints;
}

void RequireCheckpoints(const std::filesystem::path& directory) {
  if (!ListGenerations(directory).empty()) return;
  throw CheckpointError(
      fmt::format("checkpoint: {}: got no model-STEP.safetensors, expected at least one, as 'vae train' writes them",
                  Printable(directory.native())));
}

Generation NewestGeneration(const std::filesystem::path& directory) {
  RequireCheckpoints(directory);
  LatestGeneration latest = LatestValid(directory);
  if (!latest.generation) {
    throw CheckpointError(fmt::format("checkpoint: {}: got none that is whole, expected one: {}",
                                      Printable(directory.native()), fmt::join(latest.skipped, "; ")));
  }
  for (const std::string& reason : latest.skipped) Note(fmt::format("skipped {}", OneLine(reason)));
  return *latest.generation;
}

}  // namespace weft
