// Sums within the bound of their own order: |s − Σx| ≤ γ_h·Σ|x|, γ_h = h·u/(1 − h·u), where h is the largest number of
// additions that an element passes through, counted from the plan's cut into segments, pieces, lanes and leaves.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "weft/graph/compile/blocks.h"
#include "weft/graph/runtime/session.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/simd_targets.h"

namespace weft {
namespace {

// Levels of a tree over so many leaves.
int64_t Levels(int64_t leaves) {
  return static_cast<int64_t>(std::bit_width(static_cast<uint64_t>(std::max<int64_t>(1, leaves) - 1)));
}

// Four in a row, then pairwise.
int64_t AdditionsOfLeaves(int64_t count) { return std::clamp<int64_t>(count - 1, 0, 3) + Levels(CeilDivide(count, 4)); }

// Of a piece of a row: each of 16 lanes, the tail, and the lanes.
int64_t AdditionsOfPiece(int64_t count) {
  return AdditionsOfLeaves(count / 16) + (count > 16 && count % 16 != 0 ? 1 : 0) + Levels(std::min<int64_t>(count, 16));
}

int64_t Additions(DType dtype, int64_t length, int64_t inner) {
  const int64_t piece = BlockElements(dtype);
  int64_t additions = 0;
  while (true) {
    const int64_t segment = SegmentLength({.length = length, .inner = inner});
    if (inner > 1) additions += AdditionsOfLeaves(segment);
    else additions += AdditionsOfPiece(std::min(segment, piece)) + Levels(CeilDivide(segment, piece));
    if (segment >= length) return additions;
    length = CeilDivide(length, segment);
  }
}

struct Sum {
  int64_t outer, length, inner;
};

// Ragged, nothing, one, and around each border: vector, leaf, piece, segment.
constexpr Sum kSums[] = {
    {1, 0, 1},     {3, 0, 1},    {1, 0, 5},         {0, 5, 3},     {1, 1, 1},     {2, 1, 3},      {5, 2, 1},
    {4, 15, 1},    {4, 16, 1},   {4, 17, 1},        {3, 63, 1},    {3, 64, 1},    {3, 65, 1},     {7, 79, 1},
    {2, 511, 1},   {2, 513, 1},  {7, 1023, 1},      {3, 1025, 1},  {2, 16384, 1}, {2, 16385, 1},  {1, 300'007, 1},
    {1, 3, 1000},  {2, 4, 33},   {2, 5, 33},        {1, 1000, 17}, {3, 129, 64},  {1, 20'011, 3}, {1, 100'003, 2},
    {1, 31, 1025}, {2, 33, 513}, {1, 2'000'003, 1},
};

// Numbers of both signs over forty powers of two: what is left of their sum is far below their sizes.
Tensor Scattered(DType dtype, const Shape& shape) {
  Tensor values(DType::kFloat64, shape);
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> exponent(-20, 20);
  for (double& value : values.values<double>()) value = std::exp2(exponent(random)) * (random() % 2 == 0 ? 1 : -1);
  return values.Cast(dtype);
}

// One, and numbers that are nothing beside it, each alone: what a loop loses with every one of them.
Tensor Swallowed(DType dtype, const Shape& shape) {
  Tensor values(DType::kFloat64, shape);
  const auto row = static_cast<size_t>(shape[1].length() * shape[2].length());
  for (double& value : values.values<double>()) value = 0.9 * (dtype == DType::kFloat32 ? 0x1p-24 : 0x1p-53);
  for (size_t at = 0; at < static_cast<size_t>(values.size()); ++at) {
    if (at % row < static_cast<size_t>(shape[2].length())) values.values<double>()[at] = 1;
  }
  return values.Cast(dtype);
}

struct Exact {
  long double sum = 0, magnitude = 0, lost = 0;

  void Add(long double x) {  // Neumaier's sum
    const long double next = sum + x;
    lost += std::abs(sum) >= std::abs(x) ? (sum - next) + x : (x - next) + sum;
    sum = next;
    magnitude += std::abs(x);
  }
  long double value() const { return sum + lost; }
};

class SumOnTarget : public testing::TestWithParam<int64_t> {
 protected:
  OnSimdTarget target_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Simd, SumOnTarget, testing::ValuesIn(SimdTargets()),
                         [](const auto& target) { return SimdTargetName(target.param); });

void ExpectWithinRounding(const Sum& s, const Tensor& value) {
  const auto& [outer, length, inner] = s;
  SCOPED_TRACE(testing::Message() << outer << " x " << length << " x " << inner << " " << Name(value.dtype()));
  Graph graph;
  const Node x = Placeholder(graph, "X", value.shape(), {.dtype = value.dtype()});
  const Node sum = ReduceSum(x, {1});
  VariableStore nothing;
  Session session(graph, nothing, {.threads = 1});
  const Tensor got = session.Run({{x, value}}, sum).Cast(DType::kFloat64), terms = value.Cast(DType::kFloat64);
  const long double rounding = static_cast<long double>(Additions(value.dtype(), length, inner)) *
                               (value.dtype() == DType::kFloat32 ? 0x1p-24L : 0x1p-53L);
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < inner; ++i) {
      Exact exact;
      for (int64_t k = 0; k < length; ++k)
        exact.Add(terms.values<double>()[static_cast<size_t>((o * length + k) * inner + i)]);
      const long double off = got.values<double>()[static_cast<size_t>(o * inner + i)] - exact.value();
      ASSERT_LE(std::abs(off), rounding / (1 - rounding) * exact.magnitude) << o << ", " << i;
    }
  }
}

TEST_P(SumOnTarget, IsWithinTheRoundingOfItsOrder) {
  for (const Sum& s : kSums) {
    for (DType dtype : {DType::kFloat32, DType::kFloat64}) {
      for (const auto& draw : {Scattered, Swallowed})
        ExpectWithinRounding(s, draw(dtype, {s.outer, s.length, s.inner}));
    }
  }
}

TEST(SumBound, IsBrokenByALoop) {
  constexpr int64_t kLength = 2'000'003;
  float loop = 0;
  Exact exact;
  std::mt19937_64 random(1);
  std::uniform_real_distribution<float> uniform(0, 1);
  for (int64_t i = 0; i < kLength; ++i) {
    const float x = uniform(random);
    loop += x;
    exact.Add(x);
  }
  const long double rounding = static_cast<long double>(Additions(DType::kFloat32, kLength, 1)) * 0x1p-24L;
  EXPECT_GT(std::abs(loop - exact.value()), rounding / (1 - rounding) * exact.magnitude);
}

TEST(SumBound, CountsTheAdditionsOfAnElement) {
  EXPECT_EQ(Additions(DType::kFloat32, 1, 1), 0);
  EXPECT_EQ(Additions(DType::kFloat32, 2, 1), 1);
  EXPECT_EQ(Additions(DType::kFloat32, 16, 1), 4);
  EXPECT_EQ(Additions(DType::kFloat32, 64, 1), 3 + 4);
  EXPECT_EQ(Additions(DType::kFloat32, 1024, 1), 3 + 4 + 4);
  EXPECT_EQ(Additions(DType::kFloat32, 5, 7), 3 + 1);
}

}  // namespace
}  // namespace weft
