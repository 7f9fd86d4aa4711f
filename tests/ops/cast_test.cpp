// Cast where numbers of one type have no like in the other.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "weft/ops/all_ops.h"
#include "weft/tests/support/step_runner.h"

namespace weft {
namespace {

Tensor RunCast(const Tensor& x, DType dtype) {
  return RunSteps(kCast, {&x, 1}, {{"dtype", dtype}}, {.dtype = dtype, .shape = x.shape()});
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(Cast, ToIntegersCutsAndSaturates) {
  const std::pair<double, int64_t> cases[] = {
      {0.0, 0},
      {-0.0, 0},
      {1.9, 1},
      {-1.9, -1},
      {0x1p53 + 2, (int64_t{1} << 53) + 2},
      {std::nextafter(0x1p63, 0), INT64_MAX - 1023},
      {0x1p63, INT64_MAX},
      {kInfinity, INT64_MAX},
      {-0x1p63, INT64_MIN},
      {-0x1.1p63, INT64_MIN},
      {-kInfinity, INT64_MIN},
      {kNaN, 0},
  };
  for (const auto& [from, to] : cases) {
    EXPECT_EQ(RunCast(Tensor::Scalar(from), DType::kInt64), Tensor::Scalar(to)) << from;
  }
  const Tensor narrow = Tensor::Of<float>({5}, {-2.5f, 0x1p63f, -0x1p63f, 3e38f, std::nanf("")});
  EXPECT_EQ(RunCast(narrow, DType::kInt64), Tensor::Of<int64_t>({5}, {-2, INT64_MAX, INT64_MIN, INT64_MAX, 0}));
}

TEST(Cast, ToBoolIsUnequalToZero) {
  EXPECT_EQ(RunCast(Tensor::Of<float>({5}, {0.0f, -0.0f, 1e-45f, std::nanf(""), -3}), DType::kBool),
            Tensor::Of<bool>({5}, {false, false, true, true, true}));
  EXPECT_EQ(RunCast(Tensor::Of<int64_t>({3}, {0, INT64_MIN, 256}), DType::kBool),
            Tensor::Of<bool>({3}, {false, true, true}));
  EXPECT_EQ(RunCast(Tensor::Of<bool>({2}, {true, false}), DType::kFloat32), Tensor::Of<float>({2}, {1, 0}));
}

TEST(Cast, ToFloatRoundsToTheNearest) {
  const Tensor to = RunCast(Tensor::Of<double>({4}, {1 + 0x1p-24, 1 + 0x1.8p-24, 1e300, kNaN}), DType::kFloat32);
  const auto values = to.values<float>();
  EXPECT_EQ(values[0], 1.0f);
  EXPECT_EQ(values[1], 1.0f + 0x1p-23f);
  EXPECT_EQ(values[2], std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(values[3]));
}

TEST(Cast, OfSeveralBlocksIsThatOfEach) {
  Tensor from(DType::kInt64, {3, 20000});
  for (size_t i = 0; i < 60000; ++i) from.values<int64_t>()[i] = static_cast<int64_t>(i) - 30000;
  for (DType dtype : kAllDTypes) {
    const Tensor to = RunSteps(kCast, {&from, 1}, {{"dtype", dtype}}, {.dtype = dtype, .shape = from.shape()},
                               {.blocks_per_call = 1, .backwards = true});
    EXPECT_EQ(to, from.Cast(dtype)) << Name(dtype);
  }
}

}  // namespace
}  // namespace weft
