// The index of a checkpoint directory, and the order in which its files come and go.
#include "weft/models/training/checkpoint_directory.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <mutex>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "weft/graph/error.h"
#include "weft/models/training/generation_index.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

// Keys of the metadata that ties the two files of a generation together.
constexpr const char* kStepKey = "step";
constexpr const char* kEpochKey = "epoch";
constexpr const char* kLossKey = "loss";
constexpr const char* kWeightsKey = "weights";  // in the state: the fingerprint of the weights that it belongs to

// Generations in the directory, whole or not, that are newer than all of the index, the oldest first.
std::vector<Generation> NewerThan(const GenerationIndex& index, const fs::path& directory) {
  const int64_t newest = index.generations.empty() ? -1 : index.generations.back().step;
  std::set<int64_t> steps;
  for (const std::string& name : NamesIn(directory)) {
    const std::optional<int64_t> step = StepOf(name);
    if (step && *step > newest && std::ranges::find(index.dropped, *step) == index.dropped.end()) steps.insert(*step);
  }
  std::vector<Generation> found;
  found.reserve(steps.size());
  for (int64_t step : steps) found.push_back(GenerationAt(directory, step));
  return found;
}

std::string Text(const Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? "" : found->second;
}

// Reads both files and compares everything that can be compared. Throws CheckpointError or std::system_error.
Generation Verified(const Generation& generation) {
  const CheckpointSummary weights = Verify(generation.weights);
  const CheckpointSummary state = Verify(generation.state);
  const std::string step = fmt::format("{}", generation.step);
  for (const auto& [file, summary] : {std::pair(&generation.weights, &weights), {&generation.state, &state}}) {
    if (Text(summary->metadata, kStepKey) == step) continue;
    throw CheckpointError(fmt::format("step: {}: got '{}', expected {}", Escaped(file->string(), 400),
                                      Escaped(Text(summary->metadata, kStepKey), 40), step));
  }
  if (weights.fingerprint.empty() || Text(state.metadata, kWeightsKey) != weights.fingerprint) {
    throw CheckpointError(fmt::format("state: {}: got one for weights '{}', expected '{}'",
                                      Escaped(generation.state.string(), 400),
                                      Escaped(Text(state.metadata, kWeightsKey), 40), weights.fingerprint));
  }
  Generation verified = generation;
  const std::string epoch = Text(state.metadata, kEpochKey), loss = Text(state.metadata, kLossKey);
  std::from_chars(epoch.data(), epoch.data() + epoch.size(), verified.epoch);
  double number = 0;
  if (std::from_chars(loss.data(), loss.data() + loss.size(), number).ec == std::errc() && !loss.empty()) {
    verified.loss = number;
  }
  return verified;
}

std::optional<Generation> IfWhole(const Generation& generation) {
  try {
    return Verified(generation);
  } catch (const Error&) {
    return std::nullopt;
  } catch (const std::system_error&) {
    return std::nullopt;
  }
}

// False if a file of it is still there.
bool Delete(const FileSystem& system, const Generation& generation) {
  const bool has_deleted = Remove(system, generation.weights);
  return Remove(system, generation.state) && has_deleted;
}

// What is left in the lock file while a generation is written.
std::string WritingText(int64_t step) { return fmt::format("writing {}", step); }

const Generation* BestOf(const std::vector<Generation>& generations) {
  const Generation* best = nullptr;
  for (const Generation& generation : generations) {
    if (generation.loss && (best == nullptr || *generation.loss < *best->loss)) best = &generation;
  }
  return best;
}

}  // namespace

std::vector<Generation> ListGenerations(const fs::path& directory) {
  GenerationIndex index = ReadGenerationIndex(directory);
  for (Generation& generation : NewerThan(index, directory)) index.generations.push_back(std::move(generation));
  return index.generations;
}

LatestGeneration LatestValid(const fs::path& directory) {
  LatestGeneration latest;
  const GenerationIndex index = ReadGenerationIndex(directory);
  if (!index.problem.empty()) latest.skipped.push_back(index.problem);
  std::vector<Generation> generations = index.generations;
  std::ranges::move(NewerThan(index, directory), std::back_inserter(generations));
  std::ranges::reverse(generations);  // the newest first
  for (const Generation& generation : generations) {
    try {
      latest.generation = Verified(generation);
      return latest;
    } catch (const Error& error) {
      latest.skipped.emplace_back(error.what());
    } catch (const std::system_error& error) {
      latest.skipped.emplace_back(error.what());
    }
  }
  return latest;
}

Metadata RestoreGeneration(const Generation& generation, VariableStore& store) {
  // Both files are read before the store is touched.
  VariableStore weights, state;
  for (const Path& path : store.Paths()) {
    const TensorType& type = store.Find(path)->type();
    (path.IsWithin(Path(kTrainingScope)) ? state : weights).Declare(path, type.dtype, type.shape);
  }
  Restore(generation.weights, {}, weights);
  RestoreReport report = Restore(generation.state, {}, state);
  std::vector<std::pair<VariableStore::Entry*, VariableStore::Entry*>> moves;  // to, from
  for (VariableStore* part : {&weights, &state}) {
    for (const Path& path : part->Paths()) moves.emplace_back(store.Find(path), part->Find(path));
  }
  const std::unique_lock lock(store.mutex());  // nothing below throws
  for (const auto& [to, from] : moves) {
    to->Set(std::move(from->value()));
    to->initialised = true;
  }
  return std::move(report.metadata);
}

CheckpointDirectory::CheckpointDirectory(const fs::path& directory, const KeepPolicy& policy, const FileSystem& system)
    : directory_(directory), policy_(policy), system_(system), lock_(directory / kCheckpointLock) {
  if (policy.keep < 1) throw GraphError(fmt::format("keep: got {}, expected at least 1", policy.keep));
  // The lock says that nobody is writing them.
  DeleteTemporaries(system_, directory_,
                    [](const std::string& target) { return target == kIndexName || StepOf(target); });
  GenerationIndex index = ReadGenerationIndex(directory_);
  for (const Generation& generation : NewerThan(index, directory_)) {
    if (std::optional<Generation> whole = IfWhole(generation)) index.generations.push_back(std::move(*whole));
    else if (lock_.left() == WritingText(generation.step)) index.dropped.push_back(generation.step);
    // Other files were damaged, or are somebody else's: left alone.
  }
  generations_ = std::move(index.generations);
  dropped_ = std::move(index.dropped);
  DeleteDropped();
}

std::optional<Generation> CheckpointDirectory::Best() const {
  const Generation* best = BestOf(generations_);
  return best == nullptr ? std::nullopt : std::optional(*best);
}

void CheckpointDirectory::Write(const VariableStore& store, const GenerationFacts& facts) {
  if (written_ == facts.step) return Commit(generations_);
  const int64_t newest = generations_.empty() ? -1 : generations_.back().step;
  if (facts.step <= newest || facts.step < 0) {
    throw GraphError(fmt::format("checkpoint of step {}: expected a step above {}, the newest in {}", facts.step,
                                 newest, Escaped(directory_.string(), 400)));
  }
  std::erase(dropped_, facts.step);
  lock_.Leave(WritingText(facts.step));
  Generation generation = GenerationAt(directory_, facts.step);
  generation.epoch = facts.epoch;
  if (facts.loss && std::isfinite(*facts.loss)) generation.loss = facts.loss;

  Metadata metadata = facts.metadata, progress = facts.progress;
  for (Metadata* each : {&metadata, &progress}) {
    each->insert_or_assign(kStepKey, fmt::format("{}", facts.step));
    each->insert_or_assign(kEpochKey, fmt::format("{}", facts.epoch));
    if (generation.loss) each->insert_or_assign(kLossKey, fmt::format("{}", *generation.loss));
  }
  try {
    const Path training(kTrainingScope);
    Save(store, generation.weights,
         {.exclude = {training.str(), training.str() + "/**"}, .metadata = metadata, .file_system = &system_});
    progress.insert_or_assign(kWeightsKey, Inspect(generation.weights, &system_).fingerprint);
    const VariableStore nothing;
    const bool has_state = !store.Paths(training).empty();
    Save(has_state ? store : nothing, generation.state,
         {.scope = has_state ? training : Path(), .metadata = progress, .file_system = &system_});
  } catch (...) {
    if (!Delete(system_, generation)) dropped_.push_back(facts.step);  // half of one would only fill the disk
    throw;
  }
  std::vector<Generation> all = generations_;
  all.push_back(std::move(generation));
  written_ = facts.step;
  Commit(std::move(all));
}

void CheckpointDirectory::DeleteAfter(int64_t step) {
  std::vector<Generation> kept;
  std::ranges::copy_if(generations_, std::back_inserter(kept),
                       [step](const Generation& generation) { return generation.step <= step; });
  for (const Generation& generation : generations_) {
    if (generation.step > step) dropped_.push_back(generation.step);
  }
  written_.reset();
  Commit(std::move(kept));
}

// Applies the policy, says so in the index, and only then deletes.
void CheckpointDirectory::Commit(std::vector<Generation> all) {
  const Generation* best = policy_.keep_best ? BestOf(all) : nullptr;
  std::vector<Generation> kept;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i + static_cast<size_t>(policy_.keep) >= all.size() || &all[i] == best) {
      kept.push_back(all[i]);
    } else {
      dropped_.push_back(all[i].step);
    }
  }
  generations_ = std::move(kept);
  const std::string text = GenerationIndexText({.generations = generations_, .dropped = dropped_}, Best());
  const std::span<const std::byte> piece = std::as_bytes(std::span(text));
  WriteDurably(system_, directory_ / kIndexName, {&piece, 1});
  lock_.Leave("");
  DeleteDropped();
}

// What cannot be deleted now stays in the list and is tried again with the next generation.
void CheckpointDirectory::DeleteDropped() {
  std::erase_if(dropped_, [this](int64_t step) { return Delete(system_, GenerationAt(directory_, step)); });
}

}  // namespace weft
