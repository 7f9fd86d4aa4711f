// The training loop: batches, means, hooks, schedules, validation, guards, and what it refuses.
#include "weft/models/training/trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "weft/ops/operators.h"
#include "weft/ops/ops.h"
#include "weft/tests/models/small_run.h"
#include "weft/tests/support/allocations.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

TEST(Fit, MeetsEachSampleOnceAnEpochWithASmallerLastBatch) {
  SmallRun run;
  std::vector<int64_t> samples, epochs, steps;
  FitOptions options = run.options();
  options.epochs = 2;
  options.after_step = [&](const StepReport& report) {
    samples.push_back(report.samples);
    epochs.push_back(report.epoch);
    steps.push_back(report.step);
    EXPECT_EQ(report.samples_per_epoch, kSamples);
  };
  const FitResult result = run.Fit(options);
  EXPECT_EQ(samples, (std::vector<int64_t>{5, 10, 15, 20, 23, 5, 10, 15, 20, 23}));
  EXPECT_EQ(epochs, (std::vector<int64_t>{1, 1, 1, 1, 1, 2, 2, 2, 2, 2}));
  EXPECT_EQ(steps, (std::vector<int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(result.epochs, 2);
  EXPECT_EQ(result.steps, 10);
  EXPECT_FALSE(result.stopped);
}

// A model whose loss is the mean of what is fed: every mean is known.
struct MeanOfFed {
  MeanOfFed() {
    const Node w = Variable("W", Constant(graph, 1, DType::kFloat64));
    per_sample = ReduceSum(x, kLastAxis) * w;
    loss = ReduceMean(*per_sample);
    Minimize(*loss, SGD{.learning_rate = 0});
    store.Declare(graph);
    Initialize(graph, store);
  }

  Graph graph;
  Node x = Placeholder(graph, "X", {kBatch, 1}, {.dtype = DType::kFloat64});
  std::optional<Node> per_sample, loss;
  VariableStore store;
  Tensor values = Tensor::Of<double>({7, 1}, {1, 2, 3, 4, 5, 6, 100});
};

TEST(Fit, WeighsMeansBySamples) {
  MeanOfFed model;
  Session session(model.graph, model.store, {.threads = 1});
  int64_t epochs = 0;
  const auto has_means = [&](const EpochReport& report) {
    ++epochs;
    EXPECT_DOUBLE_EQ(report.training.loss, 121.0 / 7) << epochs;
    EXPECT_DOUBLE_EQ(report.training.watched[0], 121.0 / 7) << epochs;
    EXPECT_DOUBLE_EQ(report.training.watched[1], 121.0 / 7) << epochs;
  };
  const FitResult result =
      Fit(session, {.loss = *model.loss, .watched = {{"scalar", *model.loss}, {"each", *model.per_sample}}},
          {{model.x, Rows::Of(model.values)}}, {.epochs = 2, .batch = 3, .after_epoch = has_means});
  EXPECT_EQ(epochs, 2);
  EXPECT_DOUBLE_EQ(result.training->loss, 121.0 / 7);
  EXPECT_DOUBLE_EQ(result.training->watched[0], 121.0 / 7);
  EXPECT_DOUBLE_EQ(result.training->watched[1], 121.0 / 7);
}

TEST(Fit, ShufflesByEpochAndSeed) {
  const auto losses = [](uint64_t seed, bool shuffle) {
    MeanOfFed model;
    Session session(model.graph, model.store, {.threads = 1});
    std::vector<double> seen;
    FitOptions options = {.epochs = 2, .batch = 1, .seed = seed, .shuffle = shuffle};
    options.after_step = [&](const StepReport& report) { seen.push_back(report.loss); };
    Fit(session, {.loss = *model.loss}, {{model.x, Rows::Of(model.values)}}, options);
    return seen;
  };
  EXPECT_EQ(losses(1, false), (std::vector<double>{1, 2, 3, 4, 5, 6, 100, 1, 2, 3, 4, 5, 6, 100}));
  const std::vector<double> shuffled = losses(1, true);
  EXPECT_EQ(losses(1, true), shuffled);
  EXPECT_NE(losses(2, true), shuffled);
  const auto second = shuffled.begin() + 7;
  EXPECT_FALSE(std::equal(shuffled.begin(), second, second));
  EXPECT_TRUE(std::is_permutation(shuffled.begin(), second, second));
}

TEST(Fit, FeedsSchedulesOfTheStep) {
  // Each step moves W by minus the rate times the mean of x, which is 1.
  MeanOfFed model;
  const Tensor ones = Tensor::Of<double>({4, 1}, {1, 1, 1, 1});
  Session session(model.graph, model.store, {.threads = 1});
  Fit(session, {.loss = *model.loss}, {{model.x, Rows::Of(ones)}},
      {.epochs = 2, .batch = 2, .schedules = {{model.graph.Find("Training/LearningRate"), [](int64_t step) {
                                                 return std::pow(10, -static_cast<double>(step));
                                               }}}});
  EXPECT_DOUBLE_EQ(model.store.Get("W").values<double>()[0], 1 - 1.111);
}

TEST(Fit, CallsItsHooksInOrder) {
  SmallRun run;
  std::string calls;
  FitOptions options = run.options();
  options.epochs = 2;
  options.batch = 12;
  options.before_step = [&](int64_t step) { calls += "b" + std::to_string(step); };
  options.after_step = [&](const StepReport& report) { calls += "a" + std::to_string(report.step); };
  options.after_epoch = [&](const EpochReport& report) {
    calls += "e" + std::to_string(report.epoch);
    EXPECT_TRUE(report.validation.has_value());
  };
  options.stop = [&] { return calls += "?", false; };
  run.Fit(options);
  EXPECT_EQ(calls, "b1a1?b2a2e1?b3a3?b4a4e2?");
}

TEST(Fit, LetsExceptionsOfHooksPass) {
  SmallRun run;
  FitOptions options = run.options();
  options.after_step = [](const StepReport& report) {
    if (report.step == 3) throw std::runtime_error("enough");
  };
  EXPECT_EQ(Thrown<std::runtime_error>([&] { run.Fit(options); }), "enough");
  EXPECT_EQ(run.session.run_number(), 3u);
}

TEST(Fit, LearnsSomething) {
  SmallRun run;
  FitOptions options = run.options();
  options.epochs = 60;
  std::vector<double> losses;
  options.after_epoch = [&](const EpochReport& report) { losses.push_back(report.training.loss); };
  options.schedules.pop_back();  // no warm-up of the divergence: the loss means the same in all epochs
  run.Fit(options);
  EXPECT_LT(losses.back(), 0.75 * losses.front());
}

TEST(Fit, AllocatesNothingInAStep) {
  SmallRun run;
  size_t before = 0;
  std::vector<size_t> in_step;
  in_step.reserve(100);
  FitOptions options = run.options();
  options.before_step = [&](int64_t) { before = AllocationCount(); };
  options.after_step = [&](const StepReport&) { in_step.push_back(AllocationCount() - before); };
  run.Fit(options);
  ASSERT_EQ(in_step.size(), 15u);
  // In the first epoch the programs of both batch sizes look their variables up.
  for (size_t i = kStepsPerEpoch; i < in_step.size(); ++i) EXPECT_EQ(in_step[i], 0u) << "step " << i + 1;
}

// ---- Validation ---------------------------------------------------------------------------------------------------

TEST(Fit, ValidatesWithTheSameNoiseInAnyBatchSize) {
  std::vector<Means> means;
  for (const int64_t batch : {1, 3, 7, 1000}) {
    SmallRun run;
    FitOptions options = run.options();
    options.validation_batch = batch;
    means.push_back(*run.Fit(options).validation);
  }
  for (const Means& each : means) {
    EXPECT_NEAR(each.loss, means[0].loss, 1e-6 * means[0].loss);
    EXPECT_NEAR(each.loss, each.watched[0] + each.watched[1], 1e-5 * each.loss);
    EXPECT_TRUE(std::isnan(each.watched[2]));  // only training computes a gradient's norm
  }
}

// ---- Guards -------------------------------------------------------------------------------------------------------

TEST(Fit, StopsAtALossThatIsNotFinite) {
  SmallRun run;
  FitOptions options = run.options();
  std::map<std::string, Tensor> before;
  options.before_step = [&](int64_t) { before = run.State(); };
  options.schedules = {{run.training.learning_rate,
                        [](int64_t step) { return step == 6 ? std::numeric_limits<double>::infinity() : 0.01; }}};
  const std::string message = Thrown<NumericError>([&] { run.Fit(options); });
  EXPECT_TRUE(message.starts_with("step 8, epoch 2: ")) << message;
  EXPECT_EQ(run.State(), before);
}

// ---- Refusals -----------------------------------------------------------------------------------------------------

TEST(Fit, RefusesAPlaceholderThatNothingFeeds) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 1}), y = Placeholder(graph, "Y", {kBatch, 1});
  const Node loss = ReduceMean(Square(Variable("W", Constant(graph, 1)) * x - y));
  Minimize(loss, SGD{});
  VariableStore store(graph);
  Initialize(graph, store);
  Session session(graph, store, {.threads = 1});
  const Tensor values(DType::kFloat32, {3, 1});
  EXPECT_EQ(Thrown([&] {
              Fit(session, {.loss = loss}, {{x, Rows::Of(values)}});
            }),
            "placeholder 'Y': no column of the data set feeds it");
  EXPECT_EQ(Fit(session, {.loss = loss}, {{x, Rows::Of(values)}, {y, Rows::Of(values)}}).steps, 1);
}

TEST(Fit, RefusesOptionsThatDoNotFit) {
  SmallRun run;
  FitOptions options = run.options();
  options.batch = 0;
  EXPECT_EQ(Thrown([&] { run.Fit(options); }), "batch size: got 0, expected at least 1");
  Objective twice = run.objective();
  twice.watched.push_back(twice.watched[0]);
  EXPECT_EQ(Thrown([&] { Fit(run.session, twice, run.dataset(), run.options()); }),
            "Fit: watched: got 'reconstruction' twice");
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, kPixels});
  VariableStore store(graph);
  Session session(graph, store, {.threads = 1});
  EXPECT_NE(Thrown([&] {
              Fit(session, {.loss = ReduceMean(x)}, {{x, Rows::OfBytes(run.pixels, kSamples)}});
            }).find("without updates"),
            std::string::npos);
}

}  // namespace
}  // namespace weft
