// The training loop: batches, means, hooks, schedules, validation, guards; and that a cut and resumed run has the same bits.
#include "weft/models/training/trainer.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "weft/models/training/optimizers.h"
#include "weft/models/variational_autoencoder.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/allocations.h"
#include "weft/tests/support/temporary_directory.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

constexpr int64_t kPixels = 12, kSamples = 23, kBatchSize = 5, kStepsPerEpoch = 5, kValidationSamples = 7;

// Pictures of two kinds, the one the negative of the other, with some noise.
std::vector<uint8_t> SomePixels(int64_t samples, uint32_t state) {
  std::vector<uint8_t> pixels;
  for (int64_t i = 0; i < samples * kPixels; ++i) {
    const bool bright = (i / kPixels + i % kPixels) % 2 == 0;
    state = state * 1664525 + 1013904223;
    pixels.push_back(static_cast<uint8_t>((bright ? 200 : 0) + (state >> 24) % 56));
  }
  return pixels;
}

// A small autoencoder with an optimiser, its data, and everything that a resume must bring back.
struct SmallRun {
  explicit SmallRun(int threads = 1, uint64_t seed = 1) : session(graph, store, {.threads = threads, .seed = seed}) {
    Initialize(graph, store, {.seed = seed});
  }

  Graph graph;
  VariationalAutoencoder vae = BuildVariationalAutoencoder(graph, {.pixels = kPixels, .hidden_units = 8, .hidden_layers = 1});
  Minimization training = Minimize(vae.loss.total, Adam{}, {.clip_global_norm = 5});
  VariableStore store{graph};
  Session session;
  std::vector<uint8_t> pixels = SomePixels(kSamples, 1), other = SomePixels(kValidationSamples, 2);
  Tensor noise = NormalRows(kValidationSamples, 2, 3);

  Dataset dataset() const { return {{vae.x, Rows::OfBytes(pixels, kSamples)}}; }
  Dataset validation() const { return {{vae.x, Rows::OfBytes(other, kValidationSamples)}, {vae.encoder.epsilon, Rows::Of(noise)}}; }
  Objective objective() const {
    return {.loss = vae.loss.total, .watched = {{"reconstruction", vae.loss.reconstruction}, {"kl", vae.loss.divergence},
                                                {"norm", training.global_norm, false}}};
  }
  FitOptions options() const {
    return {.epochs = 3, .batch = kBatchSize, .seed = 9,
            .schedules = {{training.learning_rate, LinearWarmup(ConstantSchedule(0.01), 4)}, {vae.loss.beta, LinearWarmup(ConstantSchedule(1), 10)}},
            .guards = {training.global_norm}, .validation = validation(), .validation_batch = 4};
  }
  FitResult Fit(const FitOptions& o) { return weft::Fit(session, objective(), dataset(), o); }

  // All variables by path, bit by bit.
  std::map<std::string, Tensor> State() const {
    std::map<std::string, Tensor> state;
    for (const Path& path : store.Paths()) state.emplace(path.str(), store.Get(path));
    return state;
  }
};

void ExpectSameMeans(const Means& a, const Means& b) {
  EXPECT_EQ(a.loss, b.loss);
  ASSERT_EQ(a.watched.size(), b.watched.size());
  for (size_t i = 0; i < a.watched.size(); ++i) EXPECT_TRUE(a.watched[i] == b.watched[i] || (std::isnan(a.watched[i]) && std::isnan(b.watched[i])));
}

void ExpectSame(const SmallRun& a, const FitResult& result_a, const SmallRun& b, const FitResult& result_b) {
  EXPECT_EQ(a.State(), b.State());
  EXPECT_EQ(a.session.run_number(), b.session.run_number());
  EXPECT_EQ(result_a.steps, result_b.steps);
  EXPECT_EQ(result_a.epochs, result_b.epochs);
  ASSERT_TRUE(result_a.training && result_b.training && result_a.validation && result_b.validation);
  ExpectSameMeans(*result_a.training, *result_b.training);
  ExpectSameMeans(*result_a.validation, *result_b.validation);
}

// ---- The loop -----------------------------------------------------------------------------------------------------------

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
  const FitResult result = Fit(session, {.loss = *model.loss, .watched = {{"scalar", *model.loss}, {"each", *model.per_sample}}}, {{model.x, Rows::Of(model.values)}}, {.batch = 3});
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
      {.epochs = 2, .batch = 2, .schedules = {{model.graph.Find("Training/LearningRate"), [](int64_t step) { return std::pow(10, -static_cast<double>(step)); }}}});
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

// ---- Validation ---------------------------------------------------------------------------------------------------------

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

TEST(Evaluation, ChangesNothing) {
  SmallRun run;
  const auto before = run.State();
  Evaluation evaluation(run.session, run.objective(), run.validation(), 3);
  const Means first = evaluation.Run(), second = evaluation.Run();
  ExpectSameMeans(first, second);
  EXPECT_EQ(run.State(), before);
  EXPECT_EQ(run.session.run_number(), 0u);
}

TEST(EvaluateElbo, AddsUp) {
  SmallRun run;
  const ElboFigures figures = EvaluateElbo(run.session, run.vae, Rows::OfBytes(run.pixels, kSamples), 5, 10);
  EXPECT_DOUBLE_EQ(figures.negative_elbo, figures.reconstruction + figures.divergence);
  EXPECT_DOUBLE_EQ(figures.bits_per_dim, figures.negative_elbo / 12 / std::log(2.0));
  EXPECT_GT(figures.reconstruction, 0);
  EXPECT_GT(figures.divergence, 0);
  const Tensor zeros(DType::kFloat32, {kSamples, 2});  // z is the mean: another reconstruction, the same divergence
  const Means means = Evaluation(run.session, run.objective(), {{run.vae.x, Rows::OfBytes(run.pixels, kSamples)}, {run.vae.encoder.epsilon, Rows::Of(zeros)}}, 10).Run();
  EXPECT_NE(means.watched[0], figures.reconstruction);
  EXPECT_DOUBLE_EQ(means.watched[1], figures.divergence);
}

TEST(NormalRows, GivesEachRowItsNumbersWhateverTheCount) {
  const Tensor few = NormalRows(3, 2, 1), many = NormalRows(1000, 2, 1);
  EXPECT_EQ(many.Rows(0, 3), few);
  EXPECT_FALSE(NormalRows(3, 2, 2) == few);
  EXPECT_EQ(NormalRows(3, 2, 1, DType::kFloat64).Cast(DType::kFloat32), few);
}

// ---- Guards -------------------------------------------------------------------------------------------------------------

TEST(Fit, StopsAtALossThatIsNotFinite) {
  SmallRun run;
  FitOptions options = run.options();
  std::map<std::string, Tensor> before;
  options.before_step = [&](int64_t) { before = run.State(); };
  options.schedules = {{run.training.learning_rate, [](int64_t step) { return step == 6 ? std::numeric_limits<double>::infinity() : 0.01; }}};
  const std::string message = Thrown<NumericError>([&] { run.Fit(options); });
  EXPECT_TRUE(message.starts_with("step 8, epoch 2: ")) << message;
  EXPECT_EQ(run.State(), before);
}

// ---- Checkpoints and resume -----------------------------------------------------------------------------------------------

struct Interruption {
  int64_t after_step;
  int threads_before = 1, threads_after = 1;
};

// Trains to a cut, forgets all but the checkpoint, and trains on.
void ExpectSameBitsAfter(const Interruption& cut, const SmallRun& whole, const FitResult& whole_result) {
  SCOPED_TRACE("cut after step " + std::to_string(cut.after_step));
  const TemporaryDirectory directory;
  {
    SmallRun first(cut.threads_before);
    CheckpointDirectory checkpoints(directory.path());
    FitOptions options = first.options();
    options.checkpoints = &checkpoints;
    int64_t done = 0;
    options.after_step = [&](const StepReport& report) { done = report.step; };
    options.stop = [&] { return done == cut.after_step; };
    const FitResult result = first.Fit(options);
    EXPECT_TRUE(result.stopped);
    EXPECT_EQ(result.steps, cut.after_step);
  }
  SmallRun second(cut.threads_after);
  second.store.Set("Encoder/Mean/b", Tensor::Of<float>({2}, {7, 7}));  // must not be left
  const LatestGeneration latest = LatestValid(directory.path());
  ASSERT_TRUE(latest.generation);
  EXPECT_EQ(latest.generation->step, cut.after_step);
  EXPECT_EQ(latest.generation->epoch, cut.after_step / kStepsPerEpoch);
  CheckpointDirectory checkpoints(directory.path());
  FitOptions options = second.options();
  options.checkpoints = &checkpoints;
  options.resume = RestoreGeneration(*latest.generation, second.store);
  const FitResult result = second.Fit(options);
  EXPECT_FALSE(result.stopped);
  ExpectSame(second, result, whole, whole_result);
}

TEST(Resume, IsBitExactAtEveryCut) {
  SmallRun whole;
  const FitResult result = whole.Fit(whole.options());
  EXPECT_EQ(result.steps, 15);
  for (int64_t step = 1; step < 15; ++step) ExpectSameBitsAfter({.after_step = step}, whole, result);
}

TEST(Resume, IsBitExactWithOtherThreads) {
  SmallRun whole(2);
  const FitResult result = whole.Fit(whole.options());
  ExpectSameBitsAfter({.after_step = 7, .threads_before = 1, .threads_after = 2}, whole, result);
  ExpectSameBitsAfter({.after_step = 10, .threads_before = 2, .threads_after = 1}, whole, result);
}

TEST(Resume, IsBitExactAfterACutInEachStep) {
  SmallRun whole;
  const FitResult expected = whole.Fit(whole.options());
  const TemporaryDirectory directory;
  for (int64_t step = 1;; ++step) {
    SmallRun run;
    CheckpointDirectory checkpoints(directory.path());
    FitOptions options = run.options();
    options.checkpoints = &checkpoints;
    options.stop = [&] { return run.session.run_number() == static_cast<uint64_t>(step); };
    if (const LatestGeneration latest = LatestValid(directory.path()); latest.generation) options.resume = RestoreGeneration(*latest.generation, run.store);
    const FitResult result = run.Fit(options);
    EXPECT_EQ(result.steps, step);
    if (step < 15) continue;
    ExpectSame(run, result, whole, expected);
    break;
  }
}

TEST(Resume, OfACompleteRunDoesNothing) {
  const TemporaryDirectory directory;
  SmallRun run;
  {
    CheckpointDirectory checkpoints(directory.path());
    FitOptions options = run.options();
    options.checkpoints = &checkpoints;
    run.Fit(options);
  }
  CheckpointDirectory checkpoints(directory.path());
  FitOptions options = run.options();
  options.checkpoints = &checkpoints;
  options.resume = RestoreGeneration(*LatestValid(directory.path()).generation, run.store);
  const auto before = run.State();
  EXPECT_EQ(run.Fit(options).steps, 15);
  EXPECT_EQ(run.State(), before);
}

TEST(Resume, RefusesAnotherRun) {
  const TemporaryDirectory directory;
  SmallRun run;
  CheckpointDirectory checkpoints(directory.path());
  FitOptions options = run.options();
  options.checkpoints = &checkpoints;
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
  EXPECT_EQ(message([](SmallRun&, FitOptions& o) { o.seed = 8; }), "resume: seed: got '8', expected '9' as in the checkpoint");
  EXPECT_EQ(message([](SmallRun&, FitOptions& o) { o.batch = 4; }), "resume: batch: got '4', expected '5' as in the checkpoint");
  EXPECT_EQ(message([](SmallRun&, FitOptions& o) { o.shuffle = false; }), "resume: shuffle: got 'no', expected 'yes' as in the checkpoint");
  EXPECT_NE(message([](SmallRun& r, FitOptions&) { r.pixels[5] ^= 1; }).find("data_checksum"), std::string::npos);
  SmallRun other_noise(1, 2);
  FitOptions resumed = other_noise.options();
  resumed.resume = progress;
  EXPECT_EQ(Thrown<CheckpointError>([&] { other_noise.Fit(resumed); }), "resume: session_seed: got '2', expected '1' as in the checkpoint");
  EXPECT_EQ(message([](SmallRun&, FitOptions& o) { (*o.resume)["position"] = "3"; }), "resume: position: got '3', expected the end of a batch");
  EXPECT_EQ(message([](SmallRun&, FitOptions& o) { (*o.resume)["sum.loss"] = "1.8p+1x"; }), "resume: sum.loss: got '1.8p+1x', expected a hexadecimal number");
  EXPECT_EQ(message([](SmallRun&, FitOptions& o) { o.resume->erase("run_number"); }), "resume: run_number: got '', expected it in the checkpoint");
}

TEST(Fit, KeepsTheLastCheckpointsAndTheBest) {
  const TemporaryDirectory directory;
  SmallRun run;
  CheckpointDirectory checkpoints(directory.path(), {.keep = 2});
  FitOptions options = run.options();
  options.epochs = 6;
  options.model_metadata = {{"pixels", "12"}};
  options.checkpoints = &checkpoints;
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
  FitOptions options = run.options();
  options.checkpoints = &checkpoints;
  options.checkpoint_each_epoch = false;
  options.checkpoint_steps = 4;
  run.Fit(options);
  std::vector<int64_t> steps;
  for (const Generation& generation : checkpoints.List()) steps.push_back(generation.step);
  EXPECT_EQ(steps, (std::vector<int64_t>{4, 8, 12}));
}

TEST(Fit, RefusesToBeginBeforeACheckpointOfTheDirectory) {
  const TemporaryDirectory directory;
  SmallRun run;
  CheckpointDirectory checkpoints(directory.path());
  FitOptions options = run.options();
  options.checkpoints = &checkpoints;
  run.Fit(options);
  EXPECT_NE(Thrown([&] { run.Fit(options); }).find("expected at least 15"), std::string::npos);
}

TEST(Fit, GoesOnWithoutACheckpointIfToldSo) {
  const TemporaryDirectory directory;
  SmallRun run;
  FileSystem full;
  bool is_full = false;
  full.write = [&, write = full.write](int file, std::span<const std::byte> from) { return is_full ? (errno = ENOSPC, int64_t{-1}) : write(file, from); };
  CheckpointDirectory checkpoints(directory.path(), {}, full);
  is_full = true;
  FitOptions options = run.options();
  options.checkpoints = &checkpoints;
  EXPECT_THROW(run.Fit(options), std::system_error);
  int failures = 0;
  options.on_checkpoint_error = [&](const std::exception&) { ++failures; };
  EXPECT_EQ(run.Fit(options).steps, 15);
  EXPECT_EQ(failures, 3);
}

// ---- Refusals -------------------------------------------------------------------------------------------------------------

TEST(Fit, RefusesAPlaceholderThatNothingFeeds) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 1}), y = Placeholder(graph, "Y", {kBatch, 1});
  const Node loss = ReduceMean(Square(Variable("W", Constant(graph, 1)) * x - y));
  Minimize(loss, SGD{});
  VariableStore store(graph);
  Initialize(graph, store);
  Session session(graph, store, {.threads = 1});
  const Tensor values(DType::kFloat32, {3, 1});
  EXPECT_EQ(Thrown([&] { Fit(session, {.loss = loss}, {{x, Rows::Of(values)}}); }), "placeholder 'Y': no column of the data set feeds it");
  EXPECT_EQ(Fit(session, {.loss = loss}, {{x, Rows::Of(values)}, {y, Rows::Of(values)}}).steps, 1);
}

TEST(Fit, RefusesOptionsThatDoNotFit) {
  SmallRun run;
  FitOptions options = run.options();
  options.batch = 0;
  EXPECT_EQ(Thrown([&] { run.Fit(options); }), "batch size: got 0, expected at least 1");
  Objective twice = run.objective();
  twice.watched.push_back(twice.watched[0]);
  EXPECT_EQ(Thrown([&] { Fit(run.session, twice, run.dataset(), run.options()); }), "Fit: watched: got 'reconstruction' twice");
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, kPixels});
  VariableStore store(graph);
  Session session(graph, store, {.threads = 1});
  EXPECT_NE(Thrown([&] { Fit(session, {.loss = ReduceMean(x)}, {{x, Rows::OfBytes(run.pixels, kSamples)}}); }).find("without updates"), std::string::npos);
}

}  // namespace
}  // namespace weft
