// Distributions: closed forms, an identity of variational inference, and Monte Carlo.
#include "weft/models/distributions.h"

#include <cmath>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "weft/graph/runtime/session.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

// The value of a node that depends on nothing that is fed.
std::vector<double> Values(Node node) {
  VariableStore nothing;
  Session session(node.graph(), nothing, {.threads = 1});
  const Tensor value = session.Run({}, node).Cast(DType::kFloat64);
  return {value.values<double>().begin(), value.values<double>().end()};
}

Node Rows(Graph& graph, const Shape& shape, std::initializer_list<double> values) {
  return Constant(graph, Tensor::Of<double>(shape, values));
}

constexpr double kLog2Pi = 1.8378770664093453;

TEST(BernoulliLogProbability, SumsOverTheLastAxis) {
  Graph graph;
  const double logits[] = {-2, 0.5, 3, 0};
  const double targets[] = {0, 1, 0.25, 0.5};
  const Node log_probability = BernoulliLogProbability(
      {.logits = Rows(graph, {2, 2}, {-2, 0.5, 3, 0}), .value = Rows(graph, {2, 2}, {0, 1, 0.25, 0.5})});
  std::vector<double> expected(2);
  for (size_t i = 0; i < 4; ++i) {
    const double p = 1 / (1 + std::exp(-logits[i]));
    expected[i / 2] += targets[i] * std::log(p) + (1 - targets[i]) * std::log(1 - p);
  }
  const std::vector<double> got = Values(log_probability);
  ASSERT_EQ(got.size(), 2u);
  for (size_t i = 0; i < 2; ++i) EXPECT_NEAR(got[i], expected[i], 1e-14);
}

TEST(BernoulliLogProbability, IsFiniteForLargeLogits) {
  Graph graph;
  const std::vector<double> got = Values(
      BernoulliLogProbability({.logits = Rows(graph, {2, 1}, {1e4, -1e4}), .value = Rows(graph, {2, 1}, {0, 0})}));
  EXPECT_EQ(got, (std::vector<double>{-1e4, 0}));
}

TEST(BernoulliLogProbability, RefusesProbabilities) {
  Graph graph;
  const Node probability = Sigmoid(Rows(graph, {1, 1}, {0}));
  EXPECT_THROW(BernoulliLogProbability({.logits = probability, .value = Rows(graph, {1, 1}, {0})}), GraphError);
}

TEST(NormalLogProbability, IsThatOfTheFormula) {
  Graph graph;
  const Node got = NormalLogProbability(
      {.mean = Rows(graph, {1, 2}, {1, -1}), .log_variance = Rows(graph, {1, 2}, {std::log(4.0), std::log(0.25)})},
      Rows(graph, {1, 2}, {2, 0.5}));
  const double expected = -0.5 * (0.25 + std::log(4.0) + kLog2Pi) - 0.5 * (1.5 * 1.5 / 0.25 + std::log(0.25) + kLog2Pi);
  EXPECT_NEAR(Values(got)[0], expected, 1e-14);
}

TEST(KullbackLeibler, IsThatOfTheClosedForm) {
  Graph graph;
  const DiagonalNormal q = {.mean = Rows(graph, {1, 2}, {0.3, -1.2}), .log_variance = Rows(graph, {1, 2}, {0.5, -2})};
  const DiagonalNormal p = {.mean = Rows(graph, {1, 2}, {-0.4, 0.7}), .log_variance = Rows(graph, {1, 2}, {-0.3, 0.9})};
  // ½ (tr(Σ_p⁻¹Σ_q) + (μ_p − μ_q)ᵀΣ_p⁻¹(μ_p − μ_q) − k + log(det Σ_p / det Σ_q))
  const double expected = 0.5 * (std::exp(0.5 + 0.3) + std::exp(-2 - 0.9) + 0.7 * 0.7 * std::exp(0.3) +
                                 1.9 * 1.9 * std::exp(-0.9) - 2 + (-0.3 + 0.9) - (0.5 - 2));
  EXPECT_NEAR(Values(KullbackLeibler(q, p))[0], expected, 1e-14);
}

TEST(KullbackLeibler, ReducesToThatToTheStandardNormal) {
  Graph graph;
  const DiagonalNormal q = {.mean = Rows(graph, {3, 2}, {0, 0, 0.3, -1.2, 5, -7}),
                            .log_variance = Rows(graph, {3, 2}, {0, 0, 0.5, -2, -6, 3})};
  const Node zeros = BroadcastTo(Constant(graph, 0, DType::kFloat64), {3, 2});
  const std::vector<double> general = Values(KullbackLeibler(q, {.mean = zeros, .log_variance = zeros})),
                            standard = Values(KullbackLeiblerToStandardNormal(q));
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(general[i], standard[i], 1e-14 * std::max(1.0, standard[i]));
  EXPECT_EQ(standard[0], 0);
}

TEST(KullbackLeibler, IsPositiveUnlessTheTwoAreEqual) {
  Graph graph;
  const Node mean = RandomNormal(graph, "Mean", {1000, 3}, DType::kFloat64),
             log_variance = RandomNormal(graph, "LogVariance", {1000, 3}, DType::kFloat64);
  const Node other_mean = RandomNormal(graph, "OtherMean", {1000, 3}, DType::kFloat64),
             other = RandomNormal(graph, "Other", {1000, 3}, DType::kFloat64);
  const DiagonalNormal q = {.mean = mean, .log_variance = log_variance},
                       p = {.mean = other_mean, .log_variance = other};
  for (double divergence : Values(KullbackLeibler(q, p))) EXPECT_GT(divergence, 0);
  for (double divergence : Values(KullbackLeiblerToStandardNormal(q))) EXPECT_GT(divergence, 0);
  for (double divergence : Values(KullbackLeibler(q, q))) EXPECT_EQ(divergence, 0);
}

// σ² − 1 − log σ² ≈ δ²/2 for log σ² = δ: computed as exp(δ) − 1 − δ in f32, nothing would be left of it.
TEST(KullbackLeibler, KeepsItsDigitsNearTheStandardNormal) {
  Graph graph;
  const Node mean = Constant(graph, Tensor::Of<float>({1, 1}, {0})),
             log_variance = Constant(graph, Tensor::Of<float>({1, 1}, {1e-3f}));
  EXPECT_NEAR(Values(KullbackLeiblerToStandardNormal({.mean = mean, .log_variance = log_variance}))[0], 0.25e-6,
              0.25e-6 * 2e-3);
}

// KL(q ‖ p) = E_q[log q(z) − log p(z)], from 100,000 samples.
TEST(KullbackLeibler, AgreesWithMonteCarlo) {
  constexpr int64_t kSamples = 100'000;
  Graph graph;
  const auto both = [&](std::initializer_list<double> values) {
    return BroadcastTo(Rows(graph, {1, 2}, values), {kSamples, 2});
  };
  const DiagonalNormal q = {.mean = both({0.3, -0.5}), .log_variance = both({0.5, -1})},
                       p = {.mean = both({-0.4, 0.2}), .log_variance = both({-0.3, 0.4})};
  const Node z = q.mean + Exp(0.5 * q.log_variance) * RandomNormal(graph, "Noise", {kSamples, 2}, DType::kFloat64);
  const Node difference = NormalLogProbability(q, z) - NormalLogProbability(p, z);
  const Node mean = ReduceMean(difference),
             error = Sqrt(ReduceMean(Square(difference - mean)) / static_cast<double>(kSamples));
  EXPECT_NEAR(Values(mean)[0], Values(KullbackLeibler(q, p))[0], 4 * Values(error)[0]);
}

// z ~ N(0, 1), x|z ~ N(wz + b, s²): then x ~ N(b, w² + s²), and the posterior is normal. With q the posterior the ELBO
// is log p(x); with another q it falls short by KL(q ‖ posterior).
TEST(EvidenceLowerBound, IsExactForALinearGaussianModel) {
  const double w = 1.5, b = 0.4, s2 = 0.3, x = 2.1, total = w * w + s2;
  const double log_evidence = -0.5 * ((x - b) * (x - b) / total + std::log(total) + kLog2Pi);
  Graph graph;
  const auto number = [&](double value) { return Rows(graph, {1, 1}, {value}); };
  const DiagonalNormal posterior = {.mean = number(w * (x - b) / total), .log_variance = number(std::log(s2 / total))};
  const DiagonalNormal other = {.mean = number(0.2), .log_variance = number(-0.6)};
  const auto elbo = [&](const DiagonalNormal& q) {
    // E_q[log p(x|z)] by Gauss and Hermite's rule of three points, exact for what is quadratic in z.
    const double points[] = {-std::sqrt(3.0), 0, std::sqrt(3.0)}, weights[] = {1.0 / 6, 2.0 / 3, 1.0 / 6};
    Node sum = -KullbackLeiblerToStandardNormal(q);
    for (size_t i = 0; i < 3; ++i) {
      const Node z = q.mean + Exp(0.5 * q.log_variance) * points[i];
      sum =
          sum + weights[i] * NormalLogProbability({.mean = w * z + b, .log_variance = number(std::log(s2))}, number(x));
    }
    return sum;
  };
  EXPECT_NEAR(Values(elbo(posterior))[0], log_evidence, 1e-13);
  EXPECT_NEAR(Values(elbo(other) + KullbackLeibler(other, posterior))[0], log_evidence, 1e-13);
}

}  // namespace
}  // namespace weft
