// Layers: names, initial values, and batch normalisation in both modes.
#include "weft/models/layers.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "weft/autodiff/gradients.h"
#include "weft/graph/runtime/session.h"
#include "weft/graph/scope.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/golden_file.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

std::vector<std::string> VariableNames(const Graph& graph) {
  std::vector<std::string> names;
  for (const Path& path : VariableStore(graph).Paths()) names.push_back(path.str());
  return names;
}

struct Moments {
  double mean = 0, deviation = 0, largest = 0;  // largest |x|
};

Moments MomentsOf(const Tensor& tensor) {
  Moments moments;
  const Tensor cast = tensor.Cast(DType::kFloat64);
  const auto n = static_cast<double>(cast.size());
  for (double x : cast.values<double>()) {
    moments.mean += x / n;
    moments.largest = std::max(moments.largest, std::abs(x));
  }
  for (double x : cast.values<double>()) moments.deviation += (x - moments.mean) * (x - moments.mean) / n;
  moments.deviation = std::sqrt(moments.deviation);
  return moments;
}

// ---- FullyConnected -----------------------------------------------------------------------------------------------

TEST(FullyConnected, CountsItsNamesPerScope) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 3});
  Node h = x;
  {
    const Scope encoder(graph, "Encoder");
    h = FullyConnected(FullyConnected(h, 4), 5);
    EXPECT_EQ(h.name(), Path("Encoder/FullyConnected_1"));
    EXPECT_EQ(FullyConnected("Mean", h, 2).name(), Path("Encoder/Mean"));
  }
  EXPECT_EQ(FullyConnected(h, 2).name(), Path("FullyConnected"));
  const std::vector<std::string> expected = {
      "Encoder/FullyConnected/W",   "Encoder/FullyConnected/b", "Encoder/FullyConnected_1/W",
      "Encoder/FullyConnected_1/b", "Encoder/Mean/W",           "Encoder/Mean/b",
      "FullyConnected/W",           "FullyConnected/b"};
  EXPECT_EQ(VariableNames(graph), expected);
  EXPECT_TRUE(graph.has_stated_name(h.id()));
}

TEST(FullyConnected, IsXTimesWPlusB) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 2}, {.dtype = DType::kFloat64});
  const Node y = FullyConnected("Y", x, 3);
  EXPECT_EQ(y.type(), (TensorType{DType::kFloat64, {kBatch, 3}}));
  VariableStore store;
  store.Set("Y/W", Tensor::Of<double>({2, 3}, {1, 2, 3, 4, 5, 6}));
  store.Set("Y/b", Tensor::Of<double>({3}, {10, 20, 30}));
  Session session(graph, store, {.threads = 1});
  EXPECT_EQ(session.Run({{x, Tensor::Of<double>({2, 2}, {1, 0, 1, -1})}}, y),
            Tensor::Of<double>({2, 3}, {11, 22, 33, 7, 17, 27}));
}

TEST(FullyConnected, LeavesTheBiasOut) {
  Graph graph;
  const Node y = FullyConnected("Y", Placeholder(graph, "X", {kBatch, 2}), 3, {.bias = false});
  EXPECT_EQ(VariableNames(graph), std::vector<std::string>{"Y/W"});
  EXPECT_EQ(y.name(), Path("Y"));
}

TEST(FullyConnected, FlattensWhatIsBehindTheBatch) {
  Graph graph;
  const Node y = FullyConnected("Y", Placeholder(graph, "X", {kBatch, 2, 3, 4}), 5);
  EXPECT_EQ(y.shape(), (Shape{kBatch, 5}));
  EXPECT_EQ(graph.Find("Y/W").shape(), (Shape{24, 5}));
}

TEST(FullyConnected, RefusesWhatDoesNotFit) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 2});
  EXPECT_EQ(Thrown([&] { FullyConnected("Y", x, 0); }), "layer 'Y': got 0 units, expected at least 1");
  EXPECT_EQ(Thrown([&] { FullyConnected("Y", ReduceSum(x, kLastAxis), 3); }),
            "layer 'Y': got f32[N], expected [N, in]");
  FullyConnected("Y", x, 3);
  EXPECT_NE(Thrown([&] { FullyConnected("Y", x, 3); }).find("Y/W"), std::string::npos);
}

struct InitializerCase {
  Initializer initializer;
  double largest_w, deviation_w;  // largest 0: not bounded
  double largest_b;
};

TEST(FullyConnected, DrawsInitialValuesAsTheInitialiserSays) {
  constexpr double kIn = 300, kOut = 200;
  const double torch = 1 / std::sqrt(kIn), glorot = std::sqrt(6 / (kIn + kOut));
  const InitializerCase cases[] = {{Initializer::kTutorial, 0.04, 0.02 * 0.87962566, 0},
                                   {Initializer::kTorch, torch, torch / std::sqrt(3), torch},
                                   {Initializer::kGlorot, glorot, glorot / std::sqrt(3), 0},
                                   {Initializer::kHe, 0, std::sqrt(2 / kIn), 0}};
  for (const InitializerCase& c : cases) {
    SCOPED_TRACE(static_cast<int>(c.initializer));
    Graph graph;
    FullyConnected("Y", Placeholder(graph, "X", {kBatch, 300}), 200, {.initializer = c.initializer});
    VariableStore store(graph);
    Initialize(graph, store, {.seed = 7});
    const Moments w = MomentsOf(store.Get("Y/W")), b = MomentsOf(store.Get("Y/b"));
    // 60,000 numbers: the standard errors are 0.4 % of the deviation for the mean, 0.3 % for the deviation.
    EXPECT_NEAR(w.mean, 0, 0.02 * c.deviation_w);
    EXPECT_NEAR(w.deviation, c.deviation_w, 0.015 * c.deviation_w);
    if (c.largest_w > 0) {
      EXPECT_LE(w.largest, c.largest_w * (1 + 1e-6));
      EXPECT_GT(w.largest, c.largest_w * 0.99);
    }
    EXPECT_LE(b.largest, c.largest_b * (1 + 1e-6));
    EXPECT_GE(b.largest, c.largest_b * 0.9);
  }
}

TEST(FullyConnected, DrawsTheSameNumbersForTheSamePathAndSeed) {
  const auto weights = [](uint64_t seed, bool other_layer) {
    Graph graph;
    const Node x = Placeholder(graph, "X", {kBatch, 3});
    if (other_layer) FullyConnected("A", x, 3);
    FullyConnected("Y", x, 3);
    VariableStore store(graph);
    Initialize(graph, store, {.seed = seed});
    return store.Get("Y/W");
  };
  EXPECT_EQ(weights(1, false), weights(1, true));
  EXPECT_FALSE(weights(1, false) == weights(2, false));
}

// ---- BatchNormalization -------------------------------------------------------------------------------------------

// A layer over f64[N, 5] with the values of the golden file.
struct GoldenNorm {
  explicit GoldenNorm(const BatchNormalizationOptions& options)
      : x(Placeholder(graph, "X", {kBatch, 5}, {.dtype = DType::kFloat64})), y(BatchNormalization("B", x, options)) {
    store.Declare(graph);
    Initialize(graph, store);
    store.Set("B/gamma", golden["batch_normalization/gamma"]);
    store.Set("B/beta", golden["batch_normalization/beta"]);
  }

  GoldenFile golden;
  Graph graph;
  Node x, y;
  VariableStore store;
};

TEST(BatchNormalization, HasFourVariablesOfWhichTwoAreTrained) {
  Graph graph;
  const Node y = BatchNormalization(Placeholder(graph, "X", {kBatch, 5}));
  EXPECT_EQ(y.name(), Path("BatchNormalization"));
  const std::vector<std::string> expected = {"BatchNormalization/beta", "BatchNormalization/gamma",
                                             "BatchNormalization/moving_mean", "BatchNormalization/moving_variance"};
  EXPECT_EQ(VariableNames(graph), expected);
  for (const std::string& name : expected) {
    EXPECT_EQ(IsTrainable(graph.Find(name)), name.find("moving") == std::string::npos) << name;
  }
  EXPECT_EQ(graph.updates().size(), 2u);
}

TEST(BatchNormalization, BeginsAsTheTutorialDoes) {
  Graph graph;
  BatchNormalization("B", Placeholder(graph, "X", {kBatch, 4000}));
  VariableStore store(graph);
  Initialize(graph, store);
  const Moments gamma = MomentsOf(store.Get("B/gamma"));
  EXPECT_NEAR(gamma.mean, 1, 2e-4);
  EXPECT_NEAR(gamma.deviation, 0.002, 1e-4);
  EXPECT_EQ(MomentsOf(store.Get("B/beta")).largest, 0);
  EXPECT_EQ(MomentsOf(store.Get("B/moving_mean")).largest, 0);
  for (float variance : store.Get("B/moving_variance").values<float>()) EXPECT_EQ(variance, 1);
}

TEST(BatchNormalization, OtherInitialisersBeginWithGammaOne) {
  for (const Initializer initializer : {Initializer::kTorch, Initializer::kGlorot, Initializer::kHe}) {
    Graph graph;
    BatchNormalization("B", Placeholder(graph, "X", {kBatch, 2}), {.initializer = initializer});
    VariableStore store(graph);
    Initialize(graph, store);
    EXPECT_EQ(store.Get("B/gamma"), Tensor::Of<float>({2}, {1, 1}));
  }
}

TEST(BatchNormalization, AgreesWithPyTorchInTraining) {
  GoldenNorm norm({.unbiased_moving_variance = true});
  const Node weights = Placeholder(norm.graph, "Weights", {kBatch, 5}, {.dtype = DType::kFloat64});
  const Node target = ReduceSum(norm.y * weights);
  const Node variables[] = {norm.x, norm.graph.Find("B/gamma"), norm.graph.Find("B/beta")};
  const std::vector<Node> gradients = Gradients(target, variables);
  Session session(norm.graph, norm.store, {.threads = 1});
  const auto results = session.Step(
      {{norm.x, norm.golden["batch_normalization/x"]}, {weights, norm.golden["batch_normalization/weights"]}},
      {norm.y, gradients[0], gradients[1], gradients[2]});
  const std::string names[] = {"y", "x_gradient", "gamma_gradient", "beta_gradient"};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_LE(RelativeError(results[i], norm.golden["batch_normalization/" + names[i]]), 1e-13) << names[i];
  }
  for (const std::string name : {"moving_mean", "moving_variance"}) {
    EXPECT_LE(RelativeError(norm.store.Get("B/" + name), norm.golden["batch_normalization/" + name]), 1e-14) << name;
  }
}

TEST(BatchNormalization, AveragesTheBiasedVarianceUnlessToldOtherwise) {
  GoldenNorm norm({});
  Session session(norm.graph, norm.store, {.threads = 1});
  session.Step({{norm.x, norm.golden["batch_normalization/x"]}}, {norm.y});
  // 0.9 + 0.1·s²·7/6 is the unbiased average of seven samples.
  const auto unbiased = norm.golden["batch_normalization/moving_variance"].values<double>();
  const auto biased = norm.store.Get("B/moving_variance").values<double>();
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR((biased[i] - 0.9) * 7 / 6, unbiased[i] - 0.9, 1e-13);
}

TEST(BatchNormalization, InfersWithTheMovingAverages) {
  GoldenNorm norm({.decay = 0.5, .epsilon = 0.25});
  norm.store.Set("B/moving_mean", Tensor::Of<double>({5}, {1, 2, 3, 4, 5}));
  norm.store.Set("B/moving_variance", Tensor::Of<double>({5}, {0, 0.75, 2, 3.75, 6}));
  Session session(norm.graph, norm.store, {.threads = 1});
  const Tensor before = norm.store.Get("B/moving_mean");
  const Tensor y = session.Run({{norm.x, Tensor::Of<double>({1, 5}, {2, 3, 4, 5, 6})}}, norm.y);
  const auto gamma = norm.store.Get("B/gamma").values<double>(), beta = norm.store.Get("B/beta").values<double>();
  const double deviations[] = {0.5, 1, 1.5, 2, 2.5};
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(y.values<double>()[i], gamma[i] / deviations[i] + beta[i], 1e-15);
  EXPECT_EQ(norm.store.Get("B/moving_mean"), before);
}

TEST(BatchNormalization, OneSampleLeavesFiniteAverages) {
  GoldenNorm norm({.unbiased_moving_variance = true});
  Session session(norm.graph, norm.store, {.threads = 1});
  session.Step({{norm.x, Tensor::Of<double>({1, 5}, {2, 3, 4, 5, 6})}}, {norm.y});
  for (double v : norm.store.Get("B/moving_variance").values<double>()) EXPECT_NEAR(v, 0.9, 1e-15);
}

// E[x²] − E[x]² would leave no digit of this variance in f32.
TEST(BatchNormalization, DoesNotCancel) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 1});
  BatchNormalization("B", x);
  VariableStore store(graph);
  Initialize(graph, store);
  Session session(graph, store, {.threads = 1});
  const std::vector<Tensor> results = session.Step(
      {{x, Tensor::Of<float>({4, 1}, {1e6f - 1, 1e6f + 1, 1e6f - 1, 1e6f + 1})}}, {graph.Find("B/BatchVariance")});
  EXPECT_NEAR(results[0].values<float>()[0], 1, 1e-5);
}

TEST(BatchNormalization, TakesAllButTheLastAxisAsSamples) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 2, 2}, {.dtype = DType::kFloat64});
  BatchNormalization("B", x);
  VariableStore store(graph);
  Initialize(graph, store);
  Session session(graph, store, {.threads = 1});
  const auto mean =
      session.Step({{x, Tensor::Of<double>({2, 2, 2}, {1, 10, 2, 20, 3, 30, 6, 60})}}, {graph.Find("B/BatchMean")});
  EXPECT_EQ(mean[0], Tensor::Of<double>({2}, {3, 30}));
}

TEST(BatchNormalization, RefusesWhatDoesNotFit) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch});
  EXPECT_EQ(Thrown([&] { BatchNormalization("B", x); }), "layer 'B': got f32[N], expected [N, features]");
}

}  // namespace
}  // namespace weft
