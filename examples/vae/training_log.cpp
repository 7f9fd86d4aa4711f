// Calling both, one behind the other.
#include "weft/examples/vae/training_log.h"

#include <system_error>

#include <fmt/format.h>

#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/output.h"

namespace weft {

void RequireLoggable(const TrainOptions& options) {
  for (const char* name : {"--tensorboard-verbose", "--tensorboard-steps"}) {
    if (options.given.contains(name) && options.tensorboard.directory.empty())
      throw UsageError(fmt::format("missing: --tensorboard: got {} alone, expected a directory to write to", name));
  }
  if (!options.tensorboard.directory.empty() && options.resume.empty()) RequireEmpty(options.tensorboard.directory);
  if (!options.trace.empty()) RequireReplaceable(options.trace, options.force);
}

void StepTrace::BeforeStep() {
  if (begun_++ >= kSkipped && !written_) session_.Observe(&trace_);
}

void StepTrace::AfterStep() {
  session_.Observe(nullptr);
  if (begun_ == kSkipped + kTraced) Write();
}

void StepTrace::Write() {
  written_ = true;
  WriteWhole(file_, ToTraceJson(trace_));
}

std::filesystem::path StepTrace::Finish() {
  if (!written_) Write();
  return file_;
}

TrainingLog::TrainingLog(const TrainOptions& options, const LoggedTraining& training, int64_t done) {
  if (!options.tensorboard.directory.empty()) {
    MakeDirectory(options.tensorboard.directory);
    tensorboard_.emplace(options, training, done);
  }
  if (!options.trace.empty()) trace_.emplace(options.trace, training.session);
}

void TrainingLog::Try(const std::function<void()>& log) {
  if (problem_) return;
  try {
    log();
  } catch (const std::system_error& error) {
    problem_ = std::current_exception();
    Note(fmt::format("vae: warning: {}; training goes on without the log", OneLine(error.what())));
    tensorboard_.reset();
    trace_.reset();
  }
}

void TrainingLog::BeforeStep(int64_t step) {
  Try([&] {
    if (tensorboard_) tensorboard_->BeforeStep(step);
    if (trace_) trace_->BeforeStep();  // of the two it is the one that observes
  });
}

void TrainingLog::AfterStep(const StepReport& report) {
  Try([&] {
    if (trace_) trace_->AfterStep();
    if (tensorboard_) tensorboard_->AfterStep(report);
  });
}

void TrainingLog::AfterEpoch(const EpochReport& report) {
  Try([&] {
    if (tensorboard_) tensorboard_->AfterEpoch(report);
  });
}

std::vector<std::filesystem::path> TrainingLog::Finish() {
  std::vector<std::filesystem::path> files;
  Try([&] {
    if (tensorboard_) files = tensorboard_->Finish();
    if (trace_) files.push_back(trace_->Finish());
  });
  return files;
}

}  // namespace weft
