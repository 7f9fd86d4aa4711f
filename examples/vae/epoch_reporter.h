// What one sees of a training while it runs: the bar on stderr, a line of results an epoch, and the history for the
// curves.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "weft/examples/vae/history.h"
#include "weft/examples/vae/model.h"
#include "weft/examples/vae/options.h"
#include "weft/examples/vae/output.h"
#include "weft/examples/vae/progress.h"
#include "weft/models/training/trainer.h"

namespace weft {

// The nodes that the reporter expects to be watched, in this order.
std::vector<Watched> WatchedBy(const Autoencoder::LossNodes& loss);

class EpochReporter {
 public:
  // Goes on behind the epochs of `history`.
  EpochReporter(const TrainOptions& options, Output& output, std::vector<EpochFigures> history)
      : options_(options), output_(output), history_(std::move(history)) {}

  // The hooks of Fit.
  void BeforeStep();
  void AfterStep(const StepReport& step);
  void AfterEpoch(const EpochReport& epoch);

  const std::vector<EpochFigures>& history() const { return history_; }

 private:
  using Clock = std::chrono::steady_clock;
  double SamplesPerSecond() const { return seconds_ > 0 ? static_cast<double>(samples_) / seconds_ : 0; }

  const TrainOptions& options_;
  Output& output_;
  std::vector<EpochFigures> history_;
  Progress progress_;
  EpochProgress shown_;
  Clock::time_point start_;
  int64_t samples_before_ = -1;  // of this epoch that were done before this process began with it; −1: not begun
  int64_t samples_ = 0;          // of this epoch, by this process
  double seconds_ = 0;           // since the epoch began, without validation and checkpoints
};

}  // namespace weft
