// Fit: the training loop. It knows inputs, a loss and numbers to watch, and nothing of the model.
//
//   CheckpointDirectory checkpoints("run");
//   FitOptions options = {.epochs = 100, .batch = 128, .checkpoints = &checkpoints};
//   const LatestGeneration latest = LatestValid("run");
//   if (latest.generation) options.resume = RestoreGeneration(*latest.generation, variables);
//   Objective objective = {.loss = vae.loss.total, .watched = {{"kl", vae.loss.divergence}}};
//   Fit(session, objective, {{vae.x, images}}, options);
//
// A run that was cut at any step and goes on from its checkpoint gives the same bits as one that was not: order, noise,
// schedules and sums are functions of what the checkpoint holds.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <vector>

#include "weft/graph/runtime/session.h"
#include "weft/models/training/checkpoint_directory.h"
#include "weft/models/training/dataset.h"
#include "weft/models/training/evaluation.h"
#include "weft/models/training/schedules.h"

namespace weft {

// A scalar that training feeds with a number for each step: a learning rate, the weight of a loss.
struct ScheduledInput {
  Node node;
  Schedule schedule;
};

// After a step. Epochs and steps count from 1, and go on counting after a resume.
struct StepReport {
  int64_t epoch = 0;
  int64_t step = 0;
  int64_t samples = 0;  // of this epoch, so far
  int64_t samples_per_epoch = 0;
  double loss = 0;     // of this step
  const Means& means;  // of this epoch, so far
};

// After the last step of an epoch.
struct EpochReport {
  int64_t epoch = 0;
  int64_t step = 0;
  const Means& training;  // running means: each batch before the update that it led to
  const std::optional<Means>& validation;
};

struct FitOptions {
  int64_t epochs = 1;   // in all: a run that goes on does what is left of them
  int64_t batch = 128;  // the last one of an epoch may be smaller
  uint64_t seed = 1;    // of the order of the samples
  bool shuffle = true;
  std::vector<ScheduledInput> schedules = {};
  std::vector<Node> guards = {};  // scalars that must be finite, beside the loss: a gradient's norm

  Dataset validation = {};  // evaluated after each epoch, if there is one
  int64_t validation_batch = 1000;

  // What they throw ends Fit; nothing is written then.
  std::function<void(int64_t step)> before_step = nullptr;  // counted from 1
  std::function<void(const StepReport&)> after_step = nullptr;
  std::function<void(const EpochReport&)> after_epoch = nullptr;
  std::function<bool()> stop = nullptr;  // asked after each step: true ends Fit with a checkpoint of this step

  CheckpointDirectory* checkpoints = nullptr;
  bool checkpoint_each_epoch = true;
  int64_t checkpoint_steps = 0;  // also each time so many steps are done; 0: not
  Metadata model_metadata = {};  // of the weights files
  std::function<void(const std::exception&)> on_checkpoint_error = nullptr;  // training goes on; without it, it ends
  std::optional<Metadata> resume = std::nullopt;                             // what RestoreGeneration returned
  // Told in a sentence if data or numerics are not those of the run that goes on; without it, it is an error.
  std::function<void(const std::string&)> on_different = nullptr;
};

struct FitResult {
  int64_t epochs = 0, steps = 0;                                            // done in all
  bool stopped = false;                                                     // by options.stop
  std::optional<Means> training = std::nullopt, validation = std::nullopt;  // of the last complete epoch of this call
};

// Trains: the updates of the session's graph, the data set in batches, epoch by epoch. The store must be initialised or
// restored. Throws GraphError for options that do not fit the graph; CheckpointError if `resume` is of a run over other
// data, with other seeds, another batch size or in other numerics; NumericError, with step and epoch, if the loss or a
// guard is not finite (no variable was changed by that step); and what hooks and checkpoints throw.
FitResult Fit(Session& session, const Objective& objective, const Dataset& dataset, const FitOptions& options = {});

}  // namespace weft
