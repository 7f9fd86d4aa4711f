// The training loop, and its place in a checkpoint.
#include "weft/models/training/trainer.h"

#include <algorithm>
#include <numeric>
#include <span>

#include <fmt/format.h>

#include "weft/graph/error.h"
#include "weft/graph/op.h"
#include "weft/models/training/fed_batch.h"
#include "weft/models/training/fit_progress.h"
#include "weft/ops/numerics.h"

namespace weft {
namespace {

// What the random nodes of the graph see as their seed; 0 if there is none.
uint64_t SessionSeed(Session& session) {
  Graph& graph = session.graph();
  for (uint32_t i = 0; i < graph.size(); ++i) {
    const Node node = graph.node(NodeId{i});
    if (node.op().is_source(SourceKind::kRandomState)) {
      return static_cast<uint64_t>(session.Run({}, node).values<int64_t>()[0]);
    }
  }
  return 0;
}

class Training {
 public:
  Training(Session& session, const Objective& objective, const Dataset& dataset, const FitOptions& options)
      : session_(session),
        options_(options),
        samples_(SampleCount(dataset)),
        order_(static_cast<size_t>(samples_)),
        run_(RunOf(session, objective, dataset, options)),
        batches_(Batches(session, objective, dataset, options)) {
    progress_.sums.assign(1 + objective.watched.size(), 0);
    means_.watched.assign(objective.watched.size(), 0);
    if (!options.validation.empty()) {
      validation_.emplace(session, objective, options.validation, options.validation_batch,
                          PrepareOptions{.shares_memory_with = &batches_.run()});
    }
    if (options.resume) {
      progress_ = ParseProgress(*options.resume, run_, options.on_different);
      session.set_run_number(progress_.run_number);
    }
    RequireNothingNewer();
  }

  FitResult Run() {
    while (progress_.epoch < options_.epochs && !result_.stopped) Epoch();
    result_.epochs = progress_.epoch;
    result_.steps = progress_.step;
    return result_;
  }

 private:
  static FitRun RunOf(Session& session, const Objective& objective, const Dataset& dataset, const FitOptions& options) {
    FitRun run = {.seed = options.seed,
                  .session_seed = SessionSeed(session),
                  .batch = options.batch,
                  .shuffle = options.shuffle,
                  .samples = SampleCount(dataset),
                  .numerics = NumericsText()};
    if (options.checkpoints != nullptr || options.resume) run.data = Checksum(dataset);
    for (const Watched& watched : objective.watched) {
      if (std::ranges::count(run.watched, watched.name) > 0) {
        throw GraphError(fmt::format("Fit: watched: got '{}' twice", Escaped(watched.name)));
      }
      run.watched.push_back(watched.name);
    }
    return run;
  }

  // Found out now, not after an epoch's work.
  void RequireNothingNewer() const {
    if (options_.checkpoints == nullptr || options_.checkpoints->List().empty()) return;
    const int64_t newest = options_.checkpoints->List().back().step;
    if (newest <= progress_.step) return;
    throw GraphError(
        fmt::format("Fit: got step {} to begin with, expected at least {}, the newest checkpoint in the directory; go "
                    "on from it, or delete what is newer",
                    progress_.step, newest));
  }

  static FedBatches Batches(Session& session, const Objective& objective, const Dataset& dataset,
                            const FitOptions& options) {
    if (session.graph().updates().empty()) {
      throw GraphError("Fit: got a graph without updates, expected one that something is minimised in");
    }
    std::vector<Node> fetches = {objective.loss}, guards = {objective.loss}, scheduled;
    for (const Watched& watched : objective.watched) fetches.push_back(watched.node);
    guards.insert(guards.end(), options.guards.begin(), options.guards.end());
    for (const ScheduledInput& input : options.schedules) scheduled.push_back(input.node);
    return FedBatches(session, fetches, {.mode = Mode::kTraining, .updates = true, .guards = guards}, dataset,
                      options.batch, scheduled);
  }

  void Epoch() {
    if (options_.shuffle) Shuffle(order_, options_.seed, progress_.epoch);
    else std::iota(order_.begin(), order_.end(), 0);
    bool ended = false;
    while (!ended && !result_.stopped) {
      Step();
      ended = progress_.position == samples_;
      if (ended) EndEpoch();
      result_.stopped = options_.stop && options_.stop();
      const bool due = options_.checkpoint_steps > 0 && progress_.step % options_.checkpoint_steps == 0;
      if (due || result_.stopped || (ended && options_.checkpoint_each_epoch)) WriteCheckpoint(ended);
    }
  }

  void Step() {
    if (options_.before_step) options_.before_step(progress_.step + 1);
    const int64_t position = progress_.position, size = batches_.SizeAt(position);
    FedBatch& batch = batches_.At(position);
    for (const ScheduledInput& input : options_.schedules) batch.SetScalar(input.node, input.schedule(progress_.step));
    try {
      batch.Run(std::span(order_).subspan(static_cast<size_t>(position), static_cast<size_t>(size)));
    } catch (const NumericError& error) {
      throw NumericError(fmt::format("step {}, epoch {}: {}", progress_.step + 1, progress_.epoch + 1, error.what()));
    }
    ++progress_.step;
    progress_.position += size;
    for (size_t i = 0; i < progress_.sums.size(); ++i) progress_.sums[i] += batch.SumOf(i);
    UpdateMeans();
    if (!options_.after_step) return;
    options_.after_step({.epoch = progress_.epoch + 1,
                         .step = progress_.step,
                         .samples = progress_.position,
                         .samples_per_epoch = samples_,
                         .loss = batch.SumOf(0) / static_cast<double>(size),
                         .means = means_});
  }

  void UpdateMeans() {
    const auto seen = static_cast<double>(progress_.position);
    means_.loss = progress_.sums[0] / seen;
    for (size_t i = 0; i < means_.watched.size(); ++i) means_.watched[i] = progress_.sums[1 + i] / seen;
  }

  void EndEpoch() {
    result_.training = means_;
    if (validation_) result_.validation = validation_->Run();
    ++progress_.epoch;
    progress_.position = 0;
    std::ranges::fill(progress_.sums, 0);
    if (options_.after_epoch) {
      options_.after_epoch(
          {.epoch = progress_.epoch, .step = progress_.step, .training = means_, .validation = result_.validation});
    }
  }

  void WriteCheckpoint(bool epoch_ended) {
    if (options_.checkpoints == nullptr) return;
    progress_.run_number = session_.run_number();
    GenerationFacts facts = {.step = progress_.step,
                             .epoch = progress_.epoch,
                             .metadata = options_.model_metadata,
                             .progress = ToMetadata(progress_, run_)};
    facts.metadata["numerics"] = run_.numerics;
    if (epoch_ended && result_.validation) facts.loss = result_.validation->loss;
    try {
      options_.checkpoints->Write(session_.store(), facts);
    } catch (const std::exception& error) {
      if (!options_.on_checkpoint_error) throw;
      options_.on_checkpoint_error(error);
    }
  }

  Session& session_;
  const FitOptions& options_;
  int64_t samples_;
  std::vector<int64_t> order_;  // of the samples in this epoch
  FitRun run_;
  FedBatches batches_;
  std::optional<Evaluation> validation_;
  FitProgress progress_;
  Means means_;  // of this epoch, so far
  FitResult result_;
};

}  // namespace

FitResult Fit(Session& session, const Objective& objective, const Dataset& dataset, const FitOptions& options) {
  return Training(session, objective, dataset, options).Run();
}

}  // namespace weft
