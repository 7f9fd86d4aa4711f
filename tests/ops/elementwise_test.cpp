// The kernels of the elementwise ops against their formulas: on every SIMD target, for every length, of special values.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "weft/ops/all_ops.h"
#include "weft/tests/support/simd_targets.h"

namespace weft {
namespace {

// Two ways of writing a formula in f64 differ by a few units themselves: 8 ulp are 1.8e-15.
constexpr double kDoubleUlp = 8;

struct Case {
  const OpDef* op;
  Sample sample;
  double ulp;
  size_t arity() const { return static_cast<size_t>(*op->arity); }
  template <class T>
  double Bound() const {
    return sizeof(T) == 4 ? ulp : kDoubleUlp;
  }
};

bool SameButForShapes(const Sample& a, const Sample& b) {
  const auto same = [](const Domain& x, const Domain& y) { return x.low == y.low && x.high == y.high; };
  return a.attributes == b.attributes && std::ranges::equal(a.domains, b.domains, same);
}

// Every elementwise op, once for each choice of attributes and domains in its samples.
std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const OpDef* op : AllOps()) {
    if (!op->is_elementwise()) continue;
    const SampleSet set = (*op->samples)();
    for (const Sample& sample : set.samples) {
      const auto seen = [&](const Case& c) { return c.op == op && SameButForShapes(c.sample, sample); };
      if (std::ranges::none_of(cases, seen)) cases.push_back({op, sample, set.ulp});
    }
  }
  return cases;
}

std::string Describe(const Case& c) { return std::string(*c.op->name) + " " + ToString(c.sample.attributes); }

template <class T>
using Column = std::vector<T>;
template <class T>
using Columns = std::vector<Column<T>>;

// The nearest T; infinite beyond half a place above the largest.
template <class T>
T Rounded(double value) {
  constexpr double kBeyond = 0x1.ffffffp127;
  if (sizeof(T) == 8 || !std::isfinite(value) || std::abs(value) < kBeyond) return static_cast<T>(value);
  return value > 0 ? std::numeric_limits<T>::infinity() : -std::numeric_limits<T>::infinity();
}

// Numbers in their order as integers: the distance of two is the number of steps between them.
template <class T>
int64_t Ordinal(T value) {
  using Bits = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  const Bits bits = std::bit_cast<Bits>(value);
  return bits >= 0 ? bits : -static_cast<int64_t>(bits & std::numeric_limits<Bits>::max());
}

template <class T>
bool Agrees(T got, T expected, double ulp) {
  if (std::isnan(got) || std::isnan(expected)) return std::isnan(got) && std::isnan(expected);
  if (got == expected) return expected != 0 || std::signbit(got) == std::signbit(expected);
  if (std::isinf(got) != std::isinf(expected)) return false;
  const auto [low, high] = std::minmax({Ordinal(got), Ordinal(expected)});
  return static_cast<double>(static_cast<uint64_t>(high) - static_cast<uint64_t>(low)) <= ulp;
}

template <class T>
Column<T> Expected(const Case& c, const Columns<T>& columns) {
  const Shape shape = {static_cast<int64_t>(columns[0].size())};
  std::vector<Tensor> operands;
  for (const Column<T>& column : columns) operands.push_back(Tensor::Of<T>(shape, column).Cast(DType::kFloat64));
  const TensorType type = {.dtype = DType::kFloat64, .shape = shape};
  const Tensor result = EvaluateReference(*c.op, operands, c.sample.attributes, type);
  Column<T> expected;
  for (double value : result.values<double>()) expected.push_back(Rounded<T>(value));
  return expected;
}

struct Placing {
  size_t offset = 0;               // elements before the first: rows start anywhere
  int in_place = -1;               // the operand whose memory takes the result
  std::vector<bool> uniform = {};  // operands given as one vector of one value
};

// Runs the kernel as the contract allows: 64 readable bytes behind the inputs, whole vectors written behind the output.
// Adds a failure if more is written.
template <class T>
Column<T> RunKernel(const Case& c, const Columns<T>& columns, size_t count, const Placing& placing = {}) {
  constexpr size_t kVector = 64 / sizeof(T);
  constexpr T kCanary = T(-12345.5);
  const size_t room = placing.offset + (count + kVector - 1) / kVector * kVector;
  Columns<T> memory(c.arity() + 1, Column<T>(room + kVector, kCanary));
  std::vector<BlockInput> inputs;
  for (size_t k = 0; k < c.arity(); ++k) {
    const bool uniform = k < placing.uniform.size() && placing.uniform[k];
    if (uniform) std::fill_n(memory[k].begin(), kVector, columns[k][0]);
    else std::copy_n(columns[k].begin(), count, memory[k].begin() + static_cast<ptrdiff_t>(placing.offset));
    inputs.push_back(
        {.data = memory[k].data() + (uniform ? 0 : placing.offset), .stride = uniform ? 0u : 1u, .row_stride = 0});
  }
  Column<T>& result = memory[placing.in_place < 0 ? c.arity() : static_cast<size_t>(placing.in_place)];
  const BlockOutput output = {.data = result.data() + placing.offset, .row_stride = 0};
  std::get<PerBlock>(*c.op->lower)
      .kernel({.dtype = kDTypeOf<T>,
               .rows = 1,
               .count = static_cast<uint32_t>(count),
               .inputs = inputs,
               .outputs = std::span(&output, 1),
               .attributes = &c.sample.attributes});
  for (size_t i = 0; i < result.size(); ++i) {
    if (i >= placing.offset && i < room) continue;
    EXPECT_EQ(result[i], kCanary) << Describe(c) << ": wrote element " << i << " of " << count;
  }
  const auto first = result.begin() + static_cast<ptrdiff_t>(placing.offset);
  return Column<T>(first, first + static_cast<ptrdiff_t>(count));
}

template <class T>
void ExpectAgreement(const Case& c, const Columns<T>& columns) {
  const Column<T> got = RunKernel(c, columns, columns[0].size());
  const Column<T> expected = Expected(c, columns);
  for (size_t i = 0; i < got.size(); ++i) {
    if (Agrees(got[i], expected[i], c.Bound<T>())) continue;
    std::string operands;
    for (const Column<T>& column : columns) operands += ToString(AttributeValue(static_cast<double>(column[i]))) + ", ";
    FAIL() << Describe(c) << " f" << 8 * sizeof(T) << " of " << operands << "element " << i << ": got " << got[i]
           << ", expected " << expected[i];
  }
}

template <class T>
Columns<T> Drawn(const Case& c, size_t count) {
  std::mt19937_64 random(1);
  Columns<T> columns;
  for (size_t k = 0; k < c.arity(); ++k) {
    const Domain& domain = c.sample.domains[c.sample.domains.size() == 1 ? 0 : k];
    std::uniform_real_distribution<double> uniform(domain.low, domain.high);
    Column<T>& column = columns.emplace_back();
    while (column.size() < count) column.push_back(static_cast<T>(uniform(random)));
  }
  return columns;
}

// Any bits: every exponent, subnormals, NaN.
template <class T>
Column<T> AnyBits(size_t count) {
  std::mt19937_64 random(2);
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  Column<T> column;
  while (column.size() < count) column.push_back(std::bit_cast<T>(static_cast<Bits>(random())));
  return column;
}

template <class T>
Column<T> SpecialValues() {
  using Limits = std::numeric_limits<T>;
  Column<T> values = {Limits::signaling_NaN(), Limits::quiet_NaN(), -Limits::quiet_NaN()};
  const T below_one = std::nextafter(T{1}, T{0}), above_one = std::nextafter(T{1}, T{2});
  const T largest_subnormal = std::nextafter(Limits::min(), T{0});
  for (T value : {T{0}, Limits::denorm_min(), largest_subnormal, Limits::min(), below_one, T{1}, above_one,
                  Limits::max(), Limits::infinity()}) {
    values.push_back(value);
    values.push_back(-value);
  }
  return values;
}

class Kernels : public testing::TestWithParam<int64_t> {
 protected:
  template <class Check>
  void ForEachCase(const Check& check) {
    for (const Case& c : Cases()) {
      check(c, float{});
      check(c, double{});
    }
  }
  OnSimdTarget target_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Targets, Kernels, testing::ValuesIn(SimdTargets()),
                         [](const auto& target) { return SimdTargetName(target.param); });

TEST_P(Kernels, GiveTheFormula) {
  ForEachCase([](const Case& c, auto typed) {
    using T = decltype(typed);
    ExpectAgreement(c, Drawn<T>(c, 3000));
    if (c.arity() == 1) ExpectAgreement(c, Columns<T>{AnyBits<T>(10000)});
  });
}

// Each tuple of special values comes to lie in each lane, as the tuples are moved along one by one.
TEST_P(Kernels, GiveTheFormulaOfSpecialValuesInEveryLane) {
  ForEachCase([](const Case& c, auto typed) {
    using T = decltype(typed);
    const Column<T> values = SpecialValues<T>();
    for (size_t moved = 0; moved < 64 / sizeof(T); ++moved) {
      Columns<T> columns(c.arity(), Column<T>(moved, T{0.5}));
      size_t tuples = 1;
      for (size_t k = 0; k < c.arity(); ++k) tuples *= values.size();
      size_t repeats = 1;
      for (Column<T>& column : columns) {
        for (size_t i = 0; i < tuples; ++i) column.push_back(values[i / repeats % values.size()]);
        repeats *= values.size();
      }
      ExpectAgreement(c, columns);
    }
  });
}

TEST_P(Kernels, GiveTheSameForEveryLengthAndPlace) {
  ForEachCase([](const Case& c, auto typed) {
    using T = decltype(typed);
    constexpr size_t kLanes = 64 / sizeof(T);
    const Columns<T> columns = Drawn<T>(c, 2 * kLanes + 1);
    const Column<T> whole = RunKernel(c, columns, 2 * kLanes + 1);
    for (size_t count = 0; count <= 2 * kLanes + 1; ++count) {
      SCOPED_TRACE(Describe(c) + " of " + std::to_string(count));
      const Column<T> expected(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(count));
      EXPECT_EQ(RunKernel(c, columns, count), expected);
      EXPECT_EQ(RunKernel(c, columns, count, {.offset = count % kLanes}), expected) << "unaligned";
      for (size_t k = 0; k < c.arity(); ++k) {
        EXPECT_EQ(RunKernel(c, columns, count, {.in_place = static_cast<int>(k)}), expected) << "in place of " << k;
      }
    }
  });
}

TEST_P(Kernels, ReadAUniformOperandAsManyEqualElements) {
  ForEachCase([](const Case& c, auto typed) {
    using T = decltype(typed);
    for (size_t k = 0; k < c.arity(); ++k) {
      Columns<T> columns = Drawn<T>(c, 40);
      std::fill(columns[k].begin(), columns[k].end(), columns[k][0]);
      std::vector<bool> uniform(c.arity());
      uniform[k] = true;
      EXPECT_EQ(RunKernel(c, columns, 40, {.uniform = uniform}), RunKernel(c, columns, 40)) << Describe(c) << " " << k;
    }
  });
}

// Targets that have a fused multiply-add give the same bits, and so do those that have none.
TEST_P(Kernels, GiveTheBitsOfTheirClass) {
  int64_t first = GetParam();
  for (int64_t target : SimdTargets()) {
    if (HasFusedMultiplyAdd(target) == HasFusedMultiplyAdd(GetParam())) first = target;
  }
  ForEachCase([first](const Case& c, auto typed) {
    using T = decltype(typed);
    const Columns<T> columns = c.arity() == 1 ? Columns<T>{AnyBits<T>(5000)} : Drawn<T>(c, 5000);
    const auto run_on = [&](int64_t target) {
      const OnSimdTarget on(target);
      return RunKernel(c, columns, 5000);
    };
    const Column<T> here = run_on(GetParam()), there = run_on(first);
    for (size_t i = 0; i < here.size(); ++i) {
      ASSERT_TRUE(Agrees(here[i], there[i], 0)) << Describe(c) << " at " << columns[0][i];
    }
  });
}

// max(x, 0) − x·t + log1p(e^−|x|), for every finite x.
TEST_P(Kernels, GiveAFiniteSigmoidCrossEntropyForEveryFiniteLogit) {
  const Case c = {&kSigmoidCrossEntropy, {}, 4};
  for (double t : {0.0, 0.25, 1.0}) {
    for (double x : {3e38, 1e4, 90.0, 1.0, 0.0, -1.0, -90.0, -1e4, -3e38}) {
      const double got = RunKernel(c, Columns<float>{{static_cast<float>(x)}, {static_cast<float>(t)}}, 1)[0];
      const double expected = std::fmax(x, 0) - x * t + std::log1p(std::exp(-std::abs(x)));
      EXPECT_TRUE(std::isfinite(got) && got >= 0) << x << " " << t;
      EXPECT_NEAR(got, expected, 1e-6 * expected) << x << " " << t;
    }
  }
}

}  // namespace
}  // namespace weft
