// How far a training is: a live bar on a terminal, one line an epoch elsewhere.
//
//   Progress progress;                            // to stderr
//   progress.Update({.epoch = 3, …});             // after any step; redrawn at most ten times a second
//   progress.FinishEpoch({.epoch = 3, …});        // one line that stays
//
// A terminal is sent no colour where NO_COLOR is set; anything else is sent plain text without a control character but
// the newline. The cursor is hidden while a bar stands and shown again by the destructor.
#pragma once

#include <cstdint>
#include <string>

namespace weft {

/// Epochs and steps count from 1; `step` is the number of steps done. Losses are nats per image so far in this epoch.
struct EpochProgress {
  std::int64_t epoch = 0;
  std::int64_t epochs = 0;
  std::int64_t step = 0;
  std::int64_t steps_per_epoch = 0;
  double loss = 0;  ///< reconstruction + kl
  double reconstruction = 0;
  double kl = 0;
  double samples_per_second = 0;
  double seconds = 0;  ///< since the epoch began
};

enum class ProgressStyle { kAuto, kPlain, kNone };

/// "epoch   3/100  loss 152.31 = 146.20 + 6.11  51234 samples/s  9.2 s".
std::string EpochLine(const EpochProgress& progress);

/// The bar in at most `columns` columns: what is less important is left out where there is no room.
std::string BarLine(const EpochProgress& progress, int columns, bool unicode, bool colour);

/// Writes to a file descriptor that it does not own; that nobody reads it is no error. Not to be shared by threads.
class Progress {
 public:
  explicit Progress(ProgressStyle style = ProgressStyle::kAuto, int descriptor = 2);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Update(const EpochProgress& progress);
  void FinishEpoch(const EpochProgress& progress);

 private:
  void Write(const std::string& text) const;

  int descriptor_;
  bool silent_;
  bool live_;  ///< the descriptor is a terminal that understands control sequences
  bool colour_;
  bool unicode_;
  bool bar_stands_ = false;
  std::int64_t drawn_epoch_ = 0;
  double drawn_seconds_ = 0;
};

}  // namespace weft
