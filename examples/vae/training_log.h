// What a training leaves behind for other tools while it runs: TensorBoard's event files, and a trace of some steps.
// That a log cannot be written is noted, and told at the end: no training is lost for it.
#pragma once

#include <exception>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "weft/exporters/trace.h"
#include "weft/examples/vae/options.h"
#include "weft/examples/vae/tensorboard_log.h"

namespace weft {

// Throws UsageError for options that need another one, OutputError for a directory of logs that is neither new nor
// empty where a new run begins, or a file that would be lost; nothing is created.
void RequireLoggable(const TrainOptions& options);

// Of the steps of a training, the second to the sixth that this process does: the first one touches memory for the
// first time.
class StepTrace {
 public:
  StepTrace(std::filesystem::path file, Session& session) : file_(std::move(file)), session_(session) {}
  ~StepTrace() { session_.Observe(nullptr); }
  StepTrace(const StepTrace&) = delete;
  StepTrace& operator=(const StepTrace&) = delete;

  void BeforeStep();
  // Writes the file behind the last step of the trace; throws std::system_error.
  void AfterStep();
  // Writes what there is of a training that was shorter.
  std::filesystem::path Finish();

 private:
  static constexpr int64_t kSkipped = 1, kTraced = 5;
  void Write();

  std::filesystem::path file_;
  Session& session_;
  RunTrace trace_;
  int64_t begun_ = 0;
  bool written_ = false;
};

class TrainingLog {
 public:
  // `done`: steps of a run that goes on.
  TrainingLog(const TrainOptions& options, const LoggedTraining& training, int64_t done);

  // The hooks of Fit.
  void BeforeStep(int64_t step);
  void AfterStep(const StepReport& report);
  void AfterEpoch(const EpochReport& report);
  // Returns the files that were written.
  std::vector<std::filesystem::path> Finish();
  // Why the log ended early, a std::system_error; or nothing.
  const std::exception_ptr& problem() const { return problem_; }

 private:
  void Try(const std::function<void()>& log);

  std::optional<TensorBoardLog> tensorboard_;
  std::optional<StepTrace> trace_;
  std::exception_ptr problem_;
};

}  // namespace weft
