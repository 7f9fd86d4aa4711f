// What comes of NaN, of the ends of the range and of subnormal numbers, said op by op. That kernels follow their
// formulas there, in every lane, is in elementwise_test.cpp; here is what the formulas must say.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "weft/graph/runtime/session.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/simd_targets.h"
#include "weft/tests/support/ulp_sweep.h"

namespace weft {
namespace {

using Limits = std::numeric_limits<float>;

constexpr float kNaN = Limits::quiet_NaN(), kInfinity = Limits::infinity();
constexpr size_t kVector = 16;

const std::vector<float>& Finite() {
  static const std::vector<float> values = [] {
    std::vector<float> finite;
    for (float x : {0.0f, Limits::denorm_min(), std::nextafter(Limits::min(), 0.0f), Limits::min(),
                    std::nextafter(1.0f, 0.0f), 1.0f, std::nextafter(1.0f, 2.0f), 0.5f, 88.8f, 1e20f, Limits::max()}) {
      finite.push_back(x);
      finite.push_back(-x);
    }
    return finite;
  }();
  return values;
}

class EveryElementwiseOp : public testing::TestWithParam<const OpDef*> {
 protected:
  const OpDef& op() const { return *GetParam(); }
  size_t arity() const { return static_cast<size_t>(*op().arity); }

  // Of operands in one lane; 0.5 in the others.
  float Kernel(const Attributes& attributes, const std::vector<float>& operands, size_t lane = 0) const {
    alignas(64) float memory[4][kVector];
    std::vector<BlockInput> inputs;
    for (size_t k = 0; k < arity(); ++k) {
      for (float& x : memory[k]) x = 0.5f;
      memory[k][lane] = operands[k];
      inputs.push_back({.data = memory[k], .stride = 1, .row_stride = 0});
    }
    const BlockOutput output = {.data = memory[3], .row_stride = 0};
    std::get<PerBlock>(*op().lower)
        .kernel({.dtype = DType::kFloat32,
                 .rows = 1,
                 .count = kVector,
                 .inputs = inputs,
                 .outputs = {&output, 1},
                 .attributes = &attributes});
    return memory[3][lane];
  }

  // On every target, for every choice of attributes.
  template <class Check>
  void ForEachChoice(const Check& check) const {
    for (int64_t target : SimdTargets()) {
      const OnSimdTarget on(target);
      SCOPED_TRACE(SimdTargetName(target));
      std::set<std::string> seen;
      for (const Sample& sample : op().samples().samples) {
        if (seen.insert(ToString(sample.attributes)).second) check(sample.attributes);
      }
    }
  }
};

std::vector<const OpDef*> ElementwiseOps() {
  std::vector<const OpDef*> ops;
  for (const OpDef* op : AllOps()) {
    if (op->is_elementwise()) ops.push_back(op);
  }
  return ops;
}

INSTANTIATE_TEST_SUITE_P(AllOps, EveryElementwiseOp, testing::ValuesIn(ElementwiseOps()),
                         [](const auto& tested) { return std::string(*tested.param->name); });

// A comparison is 0 or 1, and a choice has no NaN in it unless it is one.
bool HidesNaN(const OpDef& op) { return &op == &kCompare || &op == &kSelect; }

TEST_P(EveryElementwiseOp, GivesNaNForNaN) {
  ForEachChoice([&](const Attributes& attributes) {
    for (float nan : {kNaN, -kNaN, Limits::signaling_NaN()}) {
      for (size_t k = 0; k < arity(); ++k) {
        for (size_t lane = 0; lane < kVector; ++lane) {
          for (float other : {0.5f, -2.0f, 0.0f, kInfinity}) {
            std::vector<float> operands(arity(), other);
            operands[k] = nan;
            const float got = Kernel(attributes, operands, lane);
            EXPECT_TRUE(std::isnan(got) || HidesNaN(op())) << "operand " << k << " beside " << other;
            EXPECT_TRUE(got == 0 || got == 1 || &op() != &kCompare);
          }
        }
      }
    }
  });
}

// The functions that have no value somewhere, and where.
bool HasNoValue(const OpDef& op, const std::vector<float>& x) {
  if (&op == &kDivide) return x[0] == 0 && x[1] == 0;
  if (&op == &kSqrt || &op == &kLog) return x[0] < 0;
  if (&op == &kLog1p) return x[0] < -1;
  return false;
}

TEST_P(EveryElementwiseOp, GivesNaNOfFiniteNumbersOnlyWhereItHasNoValue) {
  ForEachChoice([&](const Attributes& attributes) {
    size_t tuples = 1;
    for (size_t k = 0; k < arity(); ++k) tuples *= Finite().size();
    for (size_t tuple = 0; tuple < tuples; ++tuple) {
      std::vector<float> operands;
      for (size_t k = 0, rest = tuple; k < arity(); ++k, rest /= Finite().size())
        operands.push_back(Finite()[rest % Finite().size()]);
      EXPECT_EQ(std::isnan(Kernel(attributes, operands)), HasNoValue(op(), operands))
          << operands[0] << " " << operands.back();
    }
  });
}

// ---- Ranges
// ----------------------------------------------------------------------------------------------------------

struct Range {
  const OpDef* op;
  float low, high;
};

// Rounding may not lead out of what the rest of a model takes for granted: a probability above 1, a negative loss.
constexpr Range kRanges[] = {{&kSigmoid, 0, 1},        {&kTanh, -1, 1},          {&kErf, -1, 1},
                             {&kExp, 0, kInfinity},    {&kExpm1, -1, kInfinity}, {&kSoftplus, 0, kInfinity},
                             {&kSquare, 0, kInfinity}, {&kRelu, 0, kInfinity},   {&kAbs, 0, kInfinity}};

TEST(Ranges, AreKeptOnEveryTarget) {
  constexpr uint32_t kStride = 4001;
  std::vector<float> x;
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += kStride) {
    const auto value = std::bit_cast<float>(static_cast<uint32_t>(bits));
    if (!std::isnan(value)) x.push_back(value);
  }
  while (x.size() % kVector != 0) x.push_back(0);  // kernels work in whole vectors
  std::vector<float> y(x.size());
  for (int64_t target : SimdTargets()) {
    const OnSimdTarget on(target);
    for (const Range& range : kRanges) {
      RunKernel({range.op, {}, 0}, x, y);
      for (size_t i = 0; i < x.size(); ++i)
        ASSERT_TRUE(range.low <= y[i] && y[i] <= range.high) << *range.op->name << " of " << x[i] << " is " << y[i];
    }
  }
}

// max(x, 0) − x·t + log(1 + e^−|x|) and its slope σ(x) − t, for any finite logit and any target in [0, 1].
TEST(SigmoidCrossEntropy, IsFiniteForEveryFiniteLogit) {
  constexpr size_t kCount = 200'000;
  std::mt19937_64 random(1);
  Tensor x(DType::kFloat32, {kCount}), t(DType::kFloat32, {kCount});
  for (size_t i = 0; i < kCount; ++i) {
    float& logit = x.values<float>()[i];
    do logit = std::bit_cast<float>(static_cast<uint32_t>(random()));
    while (!std::isfinite(logit));
    const float some = static_cast<float>(random() >> 40) * 0x1p-24f;
    t.values<float>()[i] = i % 3 == 0 ? 0 : i % 3 == 1 ? 1 : some;
  }
  Graph graph;
  const Node logits = Placeholder(graph, "X", x.shape()), target = Placeholder(graph, "T", t.shape());
  const Node loss = SigmoidCrossEntropy({.logits = logits, .target = target}),
             slope = Subtract(Sigmoid(logits), target);
  for (int64_t simd : SimdTargets()) {
    const OnSimdTarget on(simd);
    VariableStore nothing;
    Session session(graph, nothing, {.threads = 1});
    const std::vector<Tensor> got = session.Run({{logits, x}, {target, t}}, {loss, slope});
    for (size_t i = 0; i < kCount; ++i) {
      const float value = got[0].values<float>()[i];
      ASSERT_TRUE(std::isfinite(value) && value >= 0) << x.values<float>()[i] << " " << t.values<float>()[i];
      ASSERT_LE(std::abs(got[1].values<float>()[i]), 1) << x.values<float>()[i] << " " << t.values<float>()[i];
    }
  }
}

// ---- Reductions
// ------------------------------------------------------------------------------------------------------

// [length] folded to a number, and [length, 3] to three: one bad element in any place.
TEST(Reductions, GiveNaNForNaNInAnyPlace) {
  for (const OpDef* op : AllOps()) {
    if (!std::holds_alternative<Reduction>(*op->lower)) continue;
    for (int64_t target : SimdTargets()) {
      const OnSimdTarget on(target);
      for (int64_t length : {1, 2, 3, 5, 15, 16, 17, 33, 64, 70}) {
        Graph graph;
        const Node x = Placeholder(graph, "X", {length}), wide = Placeholder(graph, "Wide", {length, 3});
        const Attributes first_axis = {{"axis", int64_t{0}}, {"count", int64_t{1}}};
        const Node along = graph.Add(*op, {x}, first_axis), down = graph.Add(*op, {wide}, first_axis);
        VariableStore nothing;
        Session session(graph, nothing, {.threads = 1});
        for (int64_t at = 0; at < length; ++at) {
          Tensor row(DType::kFloat32, x.shape()), rows(DType::kFloat32, wide.shape());
          row.values<float>()[static_cast<size_t>(at)] = rows.values<float>()[static_cast<size_t>(3 * at + 1)] = kNaN;
          const std::vector<Tensor> got = session.Run({{x, row}, {wide, rows}}, {along, down});
          EXPECT_TRUE(std::isnan(got[0].values<float>()[0])) << *op->name << " " << length << " at " << at;
          const auto columns = got[1].values<float>();
          EXPECT_TRUE(columns[0] == 0 && std::isnan(columns[1]) && columns[2] == 0) << *op->name << " " << length;
        }
      }
    }
  }
}

TEST(ReduceSum, KeepsSubnormalNumbersAndInfinities) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch});
  const Node sum = ReduceSum(x);
  for (int64_t target : SimdTargets()) {
    const OnSimdTarget on(target);
    VariableStore nothing;
    Session session(graph, nothing, {.threads = 1});
    const auto of = [&](int64_t count, float each, float last) {
      Tensor value(DType::kFloat32, {count});
      for (float& v : value.values<float>()) v = each;
      value.values<float>().back() = last;
      return session.Run({{x, value}}, sum).values<float>()[0];
    };
    EXPECT_EQ(of(1000, Limits::denorm_min(), Limits::denorm_min()), 1000 * Limits::denorm_min());
    EXPECT_EQ(of(77, -Limits::denorm_min(), -Limits::denorm_min()), -77 * Limits::denorm_min());
    EXPECT_EQ(of(77, 1, kInfinity), kInfinity);
    EXPECT_EQ(of(77, 1, -kInfinity), -kInfinity);
    EXPECT_TRUE(std::isnan(of(2, kInfinity, -kInfinity)));
    EXPECT_EQ(of(4, Limits::max(), Limits::max()), kInfinity);
  }
}

}  // namespace
}  // namespace weft
