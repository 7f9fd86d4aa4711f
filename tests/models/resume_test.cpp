// Checkpoints of a training run; and that a run that was cut and goes on has the same bits as one that was not.
#include <algorithm>
#include <cerrno>
#include <map>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>

#include "weft/graph/runtime/checkpoint.h"
#include "weft/models/training/checkpoint_directory.h"
#include "weft/ops/numerics.h"
#include "weft/tests/models/checkpoint_soak.h"
#include "weft/tests/models/small_run.h"
#include "weft/tests/support/many_threads.h"
#include "weft/tests/support/temporary_directory.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

constexpr int64_t kEpochs = 8, kSteps = kEpochs * kStepsPerEpoch;  // 40

FitOptions LongOptions(const SmallRun& run, CheckpointDirectory* checkpoints = nullptr) {
  FitOptions options = run.options(checkpoints);
  options.epochs = kEpochs;
  return options;
}

// Goes on from the newest checkpoint, if there is one, to the end of `last_step` at the latest.
FitResult TrainTo(int64_t last_step, SmallRun& run, const std::filesystem::path& directory) {
  CheckpointDirectory checkpoints(directory);
  FitOptions options = LongOptions(run, &checkpoints);
  if (const LatestGeneration latest = LatestValid(directory); latest.generation) {
    EXPECT_EQ(latest.generation->epoch, latest.generation->step / kStepsPerEpoch);
    options.resume = RestoreGeneration(*latest.generation, run.store);
  }
  int64_t done = 0;
  options.after_step = [&](const StepReport& report) { done = report.step; };
  options.stop = [&] { return done == last_step; };
  const FitResult result = run.Fit(options);
  EXPECT_EQ(result.steps, last_step);
  EXPECT_EQ(LatestValid(directory).generation->step, last_step);
  return result;
}

// In the middle of an epoch, at its end, behind the last step; each half with another number of threads.
TEST(Resume, IsBitExactAtEveryCut) {
  const ManyThreads threads(3);  // a machine of two cores has three
  SmallRun whole;
  const FitResult expected = whole.Fit(LongOptions(whole));
  EXPECT_EQ(expected.steps, kSteps);
  int equal = 0;
  for (int64_t cut = 1; cut <= kSteps; ++cut) {
    SCOPED_TRACE("cut after step " + std::to_string(cut));
    const TemporaryDirectory directory;
    SmallRun first(1 + static_cast<int>(cut % 3));
    TrainTo(cut, first, directory.path());
    SmallRun second(1 + static_cast<int>((cut + 1) % 3));
    second.store.Set("Encoder/Mean/b", Tensor::Of<float>({2}, {7, 7}));  // must not be left
    const FitResult result = TrainTo(kSteps, second, directory.path());
    if (cut < kSteps) {
      ExpectSame(second, result, whole, expected);
    } else {  // nothing was left to do
      EXPECT_EQ(second.State(), whole.State());
    }
    equal += HasFailure() ? 0 : 1;
  }
  EXPECT_EQ(equal, kSteps);
}

TEST(Resume, IsBitExactAfterTenCutsInOneRun) {
  const ManyThreads threads(3);
  SmallRun whole;
  const FitResult expected = whole.Fit(LongOptions(whole));
  const TemporaryDirectory directory;
  for (const int64_t cut : {1, 4, 5, 6, 10, 17, 18, 25, 33, 39}) {
    SmallRun run(1 + static_cast<int>(cut % 3));
    TrainTo(cut, run, directory.path());
  }
  SmallRun last(2);
  const FitResult result = TrainTo(kSteps, last, directory.path());
  ExpectSame(last, result, whole, expected);
}

TEST(Resume, OfACompleteRunDoesNothing) {
  const TemporaryDirectory directory;
  SmallRun run;
  {
    CheckpointDirectory checkpoints(directory.path());
    FitOptions options = run.options(&checkpoints);
    run.Fit(options);
  }
  CheckpointDirectory checkpoints(directory.path());
  FitOptions options = run.options(&checkpoints);
  options.resume = RestoreGeneration(*LatestValid(directory.path()).generation, run.store);
  const auto before = run.State();
  EXPECT_EQ(run.Fit(options).steps, 15);
  EXPECT_EQ(run.State(), before);
}

TEST(Resume, RefusesAnotherRun) {
  const TemporaryDirectory directory;
  SmallRun run;
  CheckpointDirectory checkpoints(directory.path());
  FitOptions options = run.options(&checkpoints);
  options.stop = [] { return true; };
  run.Fit(options);
  const Metadata progress = RestoreGeneration(*LatestValid(directory.path()).generation, run.store);
  const auto message = [&](const auto& change) {
    SmallRun other;
    FitOptions changed = other.options();
    changed.resume = progress;
    change(other, changed);
    return Thrown<CheckpointError>([&] { other.Fit(changed); });
  };
  EXPECT_EQ(message([](SmallRun&, FitOptions& o) { o.seed = 8; }),
            "resume: seed: got '8', expected '9' as in the checkpoint");
  EXPECT_EQ(message([](SmallRun&, FitOptions& o) { o.batch = 4; }),
            "resume: batch: got '4', expected '5' as in the checkpoint");
  EXPECT_EQ(message([](SmallRun&, FitOptions& o) { o.shuffle = false; }),
            "resume: shuffle: got 'no', expected 'yes' as in the checkpoint");
  EXPECT_NE(message([](SmallRun& r, FitOptions&) { r.pixels[5] ^= 1; }).find("data_checksum"), std::string::npos);
  SmallRun other_noise(1, 2);
  FitOptions resumed = other_noise.options();
  resumed.resume = progress;
  EXPECT_EQ(Thrown<CheckpointError>([&] { other_noise.Fit(resumed); }),
            "resume: session_seed: got '2', expected '1' as in the checkpoint");
  EXPECT_EQ(message([](SmallRun&, FitOptions& o) { (*o.resume)["numerics"] = "0 fma"; }),
            "resume: numerics: got '" + NumericsText() + "', expected '0 fma' as in the checkpoint");
  EXPECT_EQ(message([](SmallRun&, FitOptions& o) { (*o.resume)["position"] = "3"; }),
            "resume: position: got '3', expected the end of a batch");
  EXPECT_EQ(message([](SmallRun&, FitOptions& o) { (*o.resume)["sum.loss"] = "1.8p+1x"; }),
            "resume: sum.loss: got '1.8p+1x', expected a hexadecimal number");
  EXPECT_EQ(message([](SmallRun&, FitOptions& o) { o.resume->erase("run_number"); }),
            "resume: run_number: got '', expected it in the checkpoint");
}

TEST(Resume, OverOtherDataOrInOtherNumericsIsToldWhereItIsWanted) {
  const TemporaryDirectory directory;
  SmallRun run;
  CheckpointDirectory checkpoints(directory.path());
  FitOptions options = run.options(&checkpoints);
  options.stop = [] { return true; };
  run.Fit(options);
  SmallRun other;
  other.pixels[5] ^= 1;
  options = other.options();
  options.resume = RestoreGeneration(*LatestValid(directory.path()).generation, other.store);
  (*options.resume)["numerics"] = "0 fma";
  std::vector<std::string> told;
  options.on_different = [&](const std::string& sentence) { told.push_back(sentence); };
  EXPECT_EQ(other.Fit(options).steps, 15);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_NE(told[0].find("data_checksum"), std::string::npos) << told[0];
  EXPECT_NE(told[1].find("numerics"), std::string::npos) << told[1];
  // Nothing else may be another.
  options.seed = 8;
  EXPECT_THROW(other.Fit(options), CheckpointError);
}

TEST(Fit, KeepsTheLastCheckpointsAndTheBest) {
  const TemporaryDirectory directory;
  SmallRun run;
  CheckpointDirectory checkpoints(directory.path(), {.keep = 2});
  FitOptions options = run.options(&checkpoints);
  options.epochs = 6;
  options.model_metadata = {{"pixels", "12"}};
  std::map<int64_t, double> losses;
  options.after_epoch = [&](const EpochReport& report) { losses[report.step] = report.validation->loss; };
  run.Fit(options);
  const auto best = std::ranges::min_element(losses, {}, [](const auto& entry) { return entry.second; });
  EXPECT_EQ(checkpoints.Best()->step, best->first);
  EXPECT_EQ(checkpoints.Best()->loss, best->second);
  EXPECT_LE(checkpoints.List().size(), 3u);
  EXPECT_EQ(checkpoints.List().back().step, 30);
  EXPECT_EQ(checkpoints.List().back().epoch, 6);
  EXPECT_EQ(Inspect(checkpoints.List().back().weights).metadata.at("pixels"), "12");
}

TEST(Fit, WritesCheckpointsBetweenEpochs) {
  const TemporaryDirectory directory;
  SmallRun run;
  CheckpointDirectory checkpoints(directory.path());
  FitOptions options = run.options(&checkpoints);
  options.checkpoint_each_epoch = false;
  options.checkpoint_steps = 4;
  run.Fit(options);
  std::vector<int64_t> steps;
  for (const Generation& generation : checkpoints.List()) steps.push_back(generation.step);
  EXPECT_EQ(steps, (std::vector<int64_t>{4, 8, 12}));
}

TEST(Fit, OwnsNoMoreAfterManyCheckpoints) { ExpectTheSameAfterSteps(100, 500); }

TEST(Fit, RefusesToBeginBeforeACheckpointOfTheDirectory) {
  const TemporaryDirectory directory;
  SmallRun run;
  CheckpointDirectory checkpoints(directory.path());
  FitOptions options = run.options(&checkpoints);
  run.Fit(options);
  EXPECT_NE(Thrown([&] { run.Fit(options); }).find("expected at least 15"), std::string::npos);
}

TEST(Fit, GoesOnWithoutACheckpointIfToldSo) {
  const TemporaryDirectory directory;
  SmallRun run;
  FileSystem full;
  bool is_full = false;
  full.write = [&, write = full.write](int file, std::span<const std::byte> from) {
    return is_full ? (errno = ENOSPC, int64_t{-1}) : write(file, from);
  };
  CheckpointDirectory checkpoints(directory.path(), {}, full);
  is_full = true;
  FitOptions options = run.options(&checkpoints);
  EXPECT_THROW(run.Fit(options), std::system_error);
  int failures = 0;
  options.on_checkpoint_error = [&](const std::exception&) { ++failures; };
  EXPECT_EQ(run.Fit(options).steps, 15);
  EXPECT_EQ(failures, 3);
}

}  // namespace
}  // namespace weft
