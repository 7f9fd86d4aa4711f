// Reductions where the op matrix does not reach: NaN, ties, the batch size, numbers beyond the range of eˣ.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "weft/autodiff/gradients.h"
#include "weft/graph/runtime/session.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/simd_targets.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

Tensor RunOnce(Graph& graph, Node x, const Tensor& value, Node fetch) {
  VariableStore store(graph);
  Session session(graph, store, {.threads = 1});
  return session.Run({{x, value}}, fetch);
}

TEST(ReduceMax, IsNaNIfOneElementIs) {
  constexpr int64_t kLength = 37;
  Graph graph;
  const Node x = Placeholder(graph, "X", {kLength, kLength});
  const Node largest[] = {ReduceMax(x, {0}), ReduceMax(x, {1}), ReduceMax(x)};
  for (int64_t target : SimdTargets()) {
    const OnSimdTarget on(target);
    for (int64_t at = 0; at < kLength; ++at) {
      Tensor value(DType::kFloat32, x.shape());
      for (int64_t i = 0; i < kLength; ++i) value.values<float>()[static_cast<size_t>(i * kLength + i)] = -kInfinity;
      const auto nan = static_cast<size_t>(at * kLength + (at * 7) % kLength);
      value.values<float>()[nan] = kNaN;
      for (const Node& node : largest) {
        const Tensor result = RunOnce(graph, x, value, node);
        const int64_t row = node == largest[0] ? (at * 7) % kLength : at;
        for (int64_t i = 0; i < result.size(); ++i) {
          const bool expected = node == largest[2] || i == row;
          const bool is_nan = std::isnan(result.values<float>()[static_cast<size_t>(i)]);
          EXPECT_EQ(is_nan, expected) << SimdTargetName(target) << " " << i;
        }
      }
    }
  }
}

TEST(ReduceMax, OfMinusInfinityIsMinusInfinity) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {3});
  const Tensor result = RunOnce(graph, x, Tensor::Of<float>({3}, {-kInfinity, -kInfinity, -kInfinity}), ReduceMax(x));
  EXPECT_EQ(result, Tensor::Scalar(-kInfinity));
}

TEST(ReduceMax, SharesItsGradientEvenlyAmongTies) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {2, 4});
  const Node gradient = Gradients(ReduceSum(ReduceMax(x, kLastAxis)), {x})[0];
  const Tensor value = Tensor::Of<float>({2, 4}, {1, 3, 3, -2, 5, 5, 5, 5});
  EXPECT_EQ(RunOnce(graph, x, value, gradient),
            Tensor::Of<float>({2, 4}, {0, 0.5f, 0.5f, 0, 0.25f, 0.25f, 0.25f, 0.25f}));
}

TEST(ReduceMax, RefusesNothing) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 0});
  EXPECT_NE(Thrown([&] { ReduceMax(x, kLastAxis); }).find("length 0"), std::string::npos);
  const Node over_batch = ReduceMax(x, {0});
  EXPECT_EQ(over_batch.shape(), Shape{0});
  const Tensor nothing(DType::kFloat32, {0, 0});
  EXPECT_NE(Thrown([&] { RunOnce(graph, x, nothing, over_batch); }).find("length 0"), std::string::npos);
}

TEST(ReduceMean, DividesByTheBatchThatIsFed) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 2});
  const Node all = ReduceMean(x), rows = ReduceMean(x, {0});
  const Node gradient = Gradients(all, {x})[0];
  const Tensor value = Tensor::Of<float>({2, 2}, {1, 2, 3, 6});
  EXPECT_EQ(RunOnce(graph, x, value, all), Tensor::Scalar(3.0f));
  EXPECT_EQ(RunOnce(graph, x, value, rows), Tensor::Of<float>({2}, {2, 4}));
  EXPECT_EQ(RunOnce(graph, x, value, gradient), Tensor::Of<float>({2, 2}, {0.25f, 0.25f, 0.25f, 0.25f}));
  EXPECT_EQ(RunOnce(graph, x, Tensor::Of<float>({1, 2}, {1, 2}), gradient), Tensor::Of<float>({1, 2}, {0.5f, 0.5f}));
  // the mean of nothing
  EXPECT_TRUE(std::isnan(RunOnce(graph, x, Tensor(DType::kFloat32, {0, 2}), all).values<float>()[0]));
}

TEST(ReduceMean, OfManyEqualNumbersIsTheNumber) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {10'000'000});
  Tensor value(DType::kFloat32, x.shape());
  for (float& v : value.values<float>()) v = 0.1f;
  const float mean = RunOnce(graph, x, value, ReduceMean(x)).values<float>()[0];
  EXPECT_LE(std::abs(mean - 0.1f), 2 * (std::nextafter(0.1f, 1.0f) - 0.1f));
}

TEST(LogSoftmax, DoesNotOverflow) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {2, 3});
  const Node y = LogSoftmax(x);
  const Tensor result = RunOnce(graph, x, Tensor::Of<float>({2, 3}, {1e4f, 1e4f, -1e4f, 3e38f, -3e38f, 0}), y);
  const auto values = result.values<float>();
  EXPECT_FLOAT_EQ(values[0], -std::log(2.0f));
  EXPECT_FLOAT_EQ(values[1], -std::log(2.0f));
  EXPECT_FLOAT_EQ(values[2], -2e4f - std::log(2.0f));
  EXPECT_EQ(values[3], 0.0f);
  EXPECT_EQ(values[5], -3e38f);
}

// d/dx of Σ w·(x − log Σ eˣ) = w − softmax(x)·Σ w
TEST(LogSoftmax, HasTheGradientOfItsFormula) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {3}, {.dtype = DType::kFloat64});
  const Node w = Constant(graph, Tensor::Of<double>({3}, {1, -2, 4}));
  const Node gradient = Gradients(ReduceSum(w * LogSoftmax(x)), {x})[0];
  const Tensor result = RunOnce(graph, x, Tensor::Of<double>({3}, {0.5, -1, 2}), gradient);
  const double e[] = {std::exp(0.5), std::exp(-1.0), std::exp(2.0)}, sum = e[0] + e[1] + e[2], weights[] = {1, -2, 4};
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(result.values<double>()[i], weights[i] - 3 * e[i] / sum, 1e-14);
}

TEST(LogSoftmax, RefusesProbabilities) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 3});
  EXPECT_EQ(LogSoftmax(x).type().kind, ValueKind::kLogProbability);
  EXPECT_NE(Thrown([&] { LogSoftmax(LogSoftmax(x)); }).find("expected logits"), std::string::npos);
}

}  // namespace
}  // namespace weft
