// Tensors: memory, copies, conversions, rows.
#include "weft/graph/tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Tensor, DefaultIsEmpty) {
  const Tensor tensor;
  EXPECT_EQ(tensor.size(), 0);
  EXPECT_EQ(tensor.shape(), (Shape{0}));
  EXPECT_EQ(tensor.dtype(), DType::kFloat32);
  EXPECT_TRUE(tensor.bytes().empty());
  EXPECT_TRUE(tensor.values<float>().empty());
  const Tensor copy = tensor;
  EXPECT_EQ(copy, tensor);
  EXPECT_EQ(copy, Tensor(DType::kFloat32, {0}));
}

TEST(Tensor, StartsAsAlignedZeros) {
  for (DType dtype : kAllDTypes) {
    const Tensor tensor(dtype, {3, 5});
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.bytes().data()) % kAlignment, 0u);
    EXPECT_EQ(tensor.bytes().size(), 15 * SizeOf(dtype));
    for (std::byte byte : tensor.bytes()) EXPECT_EQ(byte, std::byte{0});
    EXPECT_EQ(tensor.type(), (TensorType{.dtype = dtype, .shape = {3, 5}}));
  }
}

TEST(Tensor, MayBeReadInWholeVectorsPastItsEnd) {
  const Tensor tensor(DType::kFloat32, {1});
  for (int64_t i = 0; i < PaddedByteSize(DType::kFloat32, {1}); ++i) EXPECT_EQ(tensor.bytes().data()[i], std::byte{0});
}

TEST(Tensor, RefusesShapesWithoutASize) {
  EXPECT_THROW(Tensor(DType::kFloat32, {kBatch}), GraphError);
  EXPECT_THROW(Tensor(DType::kFloat32, {Shape::kMaxElements, 2}), ResourceError);
}

TEST(Tensor, HoldsWhatItIsGiven) {
  const Tensor tensor = Tensor::Of<float>({2, 2}, {1, 2, 3, 4});
  EXPECT_THAT(tensor.values<float>(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Tensor::Scalar(int64_t{7}).values<int64_t>(), ElementsAre(7));
  EXPECT_EQ(Tensor::Scalar(2.5).shape(), Shape());
  EXPECT_THAT(Tensor::Of<bool>({2}, {true, false}).values<bool>(), ElementsAre(true, false));
  EXPECT_THAT(Thrown([] { Tensor::Of<float>({3}, {1, 2}); }), HasSubstr("got 2 values, expected 3 for [3]"));
}

TEST(Tensor, IsReadAsItsOwnTypeOnly) {
  EXPECT_THAT(Thrown([] { Tensor::Scalar(1.0).values<float>(); }), HasSubstr("values read as f32, but they are f64"));
}

TEST(Tensor, CopiesAreDeep) {
  Tensor tensor = Tensor::Of<float>({2}, {1, 2});
  Tensor copy = tensor;
  copy.values<float>()[0] = 9;
  EXPECT_THAT(tensor.values<float>(), ElementsAre(1, 2));
  copy = tensor;
  EXPECT_EQ(copy, tensor);
  const Tensor& same = copy;
  copy = same;
  EXPECT_EQ(copy, tensor);
}

TEST(Tensor, IsEmptyAfterItWasMovedAway) {
  Tensor tensor = Tensor::Of<double>({2}, {1, 2});
  const Tensor moved = std::move(tensor);
  EXPECT_THAT(moved.values<double>(), ElementsAre(1, 2));
  EXPECT_EQ(tensor, Tensor());  // NOLINT(bugprone-use-after-move): this is what is tested
  Tensor target = Tensor::Scalar(3.0);
  Tensor from = moved;
  target = std::move(from);
  EXPECT_EQ(target, moved);
  const Tensor copy = from;  // NOLINT(bugprone-use-after-move): and so is this
  EXPECT_EQ(copy.bytes().size(), static_cast<size_t>(copy.size()) * SizeOf(copy.dtype()));
}

TEST(Tensor, EqualsByTypeAndBits) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(Tensor::Scalar(nan), Tensor::Scalar(nan));
  EXPECT_FALSE(Tensor::Scalar(0.0f) == Tensor::Scalar(-0.0f));
  EXPECT_FALSE(Tensor::Of<float>({2, 1}, {1, 2}) == Tensor::Of<float>({1, 2}, {1, 2}));
  EXPECT_FALSE(Tensor(DType::kFloat64, {1}) == Tensor(DType::kInt64, {1}));
}

TEST(Tensor, ReshapesWithinItsSize) {
  const Tensor tensor = Tensor::Of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(tensor.Reshaped({3, 2}), Tensor::Of<float>({3, 2}, {1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(tensor.Reshaped({6}).Reshaped({2, 3}), tensor);
  EXPECT_THAT(Thrown([&] { tensor.Reshaped({5}); }), HasSubstr("got [5], expected 6 elements as in [2, 3]"));
  EXPECT_THROW(tensor.Reshaped({kBatch}), GraphError);
  EXPECT_EQ(Tensor().Reshaped({7, 0}).shape(), (Shape{7, 0}));
}

TEST(Cast, ConvertsEveryPair) {
  const Tensor numbers = Tensor::Of<double>({4}, {0, 1, -2.75, 3.5});
  EXPECT_THAT(numbers.Cast(DType::kFloat32).values<float>(), ElementsAre(0, 1, -2.75, 3.5));
  EXPECT_THAT(numbers.Cast(DType::kInt64).values<int64_t>(), ElementsAre(0, 1, -2, 3));
  EXPECT_THAT(numbers.Cast(DType::kBool).values<bool>(), ElementsAre(false, true, true, true));
  EXPECT_THAT(Tensor::Of<bool>({2}, {true, false}).Cast(DType::kFloat32).values<float>(), ElementsAre(1, 0));
  EXPECT_THAT(Tensor::Of<int64_t>({2}, {-1, 0}).Cast(DType::kBool).values<bool>(), ElementsAre(true, false));
  EXPECT_EQ(numbers.Cast(DType::kFloat64), numbers);
}

TEST(Cast, ToIntegersSaturatesAndTakesNanAsZero) {
  const Tensor wild =
      Tensor::Of<double>({6}, {NAN, kInfinity, -kInfinity, 1e300, -9223372036854775808.0, 9223372036854775808.0});
  EXPECT_THAT(wild.Cast(DType::kInt64).values<int64_t>(),
              ElementsAre(0, INT64_MAX, INT64_MIN, INT64_MAX, INT64_MIN, INT64_MAX));
  EXPECT_THAT(wild.Cast(DType::kFloat32).Cast(DType::kInt64).values<int64_t>(),
              ElementsAre(0, INT64_MAX, INT64_MIN, INT64_MAX, INT64_MIN, INT64_MAX));
}

TEST(Cast, OverflowsToInfinityAndKeepsNan) {
  const Tensor wild = Tensor::Of<double>({3}, {1e300, -1e300, NAN}).Cast(DType::kFloat32);
  EXPECT_EQ(wild.values<float>()[0], std::numeric_limits<float>::infinity());
  EXPECT_EQ(wild.values<float>()[1], -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(wild.values<float>()[2]));
  EXPECT_THAT(Tensor::Scalar(double{NAN}).Cast(DType::kBool).values<bool>(), ElementsAre(true))
      << "anything but 0 is true";
}

TEST(Rows, AreARangeOfTheFirstAxis) {
  const Tensor tensor = Tensor::Of<float>({3, 2}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(tensor.Rows(1, 3), Tensor::Of<float>({2, 2}, {3, 4, 5, 6}));
  EXPECT_EQ(tensor.Rows(0, 3), tensor);
  EXPECT_EQ(tensor.Rows(2, 2), Tensor(DType::kFloat32, {0, 2}));
  EXPECT_EQ(Tensor(DType::kBool, {4, 0}).Rows(1, 3).shape(), (Shape{2, 0}));
  EXPECT_EQ(Tensor(DType::kFloat32, {0, 5}).Rows(0, 0).shape(), (Shape{0, 5}));
}

TEST(Rows, RefusesWhatIsOutside) {
  const Tensor tensor(DType::kFloat32, {3, 2});
  const std::pair<int64_t, int64_t> ranges[] = {{-1, 2}, {2, 1}, {0, 4}, {4, 4}};
  for (const auto& range : ranges)
    EXPECT_THAT(Thrown([&] { tensor.Rows(range.first, range.second); }), HasSubstr("within 0 … 3"));
}

TEST(Rows, RefusesAScalar) {
  EXPECT_THAT(Thrown([] { Tensor::Scalar(1.0f).Rows(0, 0); }), HasSubstr("scalar"));
}

}  // namespace
}  // namespace weft
