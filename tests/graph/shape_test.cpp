// Shapes: broadcasting, the checked product, the batch size N, axes.
#include "weft/graph/shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "weft/graph/error.h"
#include "weft/graph/tensor_type.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

using testing::HasSubstr;

TEST(Dim, BatchIsNoLength) {
  EXPECT_TRUE(kBatch.is_batch());
  EXPECT_FALSE(Dim(0).is_batch());
  EXPECT_FALSE(Dim(-1).is_batch());
  EXPECT_EQ(kBatch, Dim::Batch());
  EXPECT_NE(kBatch, Dim(1));
}

TEST(Shape, ComparesRankAndLengths) {
  EXPECT_EQ(Shape(), Shape(std::vector<Dim>()));
  EXPECT_EQ((Shape{kBatch, 3}), (Shape{kBatch, 3}));
  EXPECT_NE((Shape{3}), (Shape{3, 1}));
  EXPECT_NE((Shape{1, 3}), (Shape{3, 1}));
  EXPECT_NE((Shape{0}), Shape());
  EXPECT_NE((Shape{kBatch}), (Shape{128}));
}

TEST(Shape, RefusesRanksAndLengthsBeyondLimits) {
  EXPECT_EQ((Shape{1, 2, 3, 4, 5, 6}).rank(), Shape::kMaxRank);
  EXPECT_THAT(Thrown([] { Shape{1, 1, 1, 1, 1, 1, 1}; }), HasSubstr("got rank 7, expected at most 6"));
  EXPECT_THAT(Thrown([] { Shape(std::vector<Dim>(1000, Dim(1))); }), HasSubstr("rank 1000"));
  EXPECT_THAT(Thrown([] { Shape{2, -3}; }), HasSubstr("got length -3 at axis 1"));
  EXPECT_THAT(Thrown([] { Shape{INT64_MIN + 1}; }), HasSubstr("axis 0"));
  for (const int64_t length : {Shape::kMaxElements + 1, int64_t{1} << 62, INT64_MAX}) {
    EXPECT_THAT(Thrown<ResourceError>([length] {
                  Shape{0, length};
                }),
                HasSubstr("at axis 1, expected at most 1099511627776"));
    EXPECT_THROW(Shape{kBatch}.Bound(length), ResourceError);
  }
}

TEST(Shape, BindsEveryBatchSize) {
  const Shape shape = {kBatch, 3, kBatch};
  EXPECT_FALSE(shape.is_bound());
  EXPECT_EQ(shape.Bound(5), (Shape{5, 3, 5}));
  EXPECT_EQ(shape.Bound(0), (Shape{0, 3, 0}));
  EXPECT_TRUE(shape.Bound(5).is_bound());
  EXPECT_TRUE(Shape().is_bound());
  EXPECT_EQ((Shape{2}).Bound(7), (Shape{2}));
}

TEST(Shape, RefusesToBindANegativeBatch) {
  for (int64_t batch : {int64_t{-1}, INT64_MIN})
    EXPECT_THAT(Thrown([batch] { Shape{kBatch}.Bound(batch); }), HasSubstr("expected 0 or more"));
}

TEST(Shape, PrintsItself) {
  EXPECT_EQ(ToString(Shape()), "[]");
  EXPECT_EQ(ToString(Shape{0}), "[0]");
  EXPECT_EQ(ToString(Shape{kBatch, 784}), "[N, 784]");
  EXPECT_EQ(ToString(Shape{Shape::kMaxElements}), "[1099511627776]");
}

TEST(Shape, BroadcastsByNumPysRule) {
  struct Case {
    Shape left, right;
    std::optional<Shape> common;
  };
  const Case cases[] = {
      {{}, {}, Shape{}},
      {{}, {3, 5}, Shape{3, 5}},
      {{5}, {3, 5}, Shape{3, 5}},
      {{3, 1}, {1, 5}, Shape{3, 5}},
      {{1}, {1}, Shape{1}},
      {{2, 1, 4}, {3, 1}, Shape{2, 3, 4}},
      {{1, 2, 3, 4, 5, 6}, {6}, Shape{1, 2, 3, 4, 5, 6}},
      {{0}, {1}, Shape{0}},
      {{0, 4}, {3, 1, 1}, Shape{3, 0, 4}},
      {{kBatch, 7}, {7}, Shape{kBatch, 7}},
      {{kBatch, 7}, {1, 7}, Shape{kBatch, 7}},
      {{kBatch}, {kBatch}, Shape{kBatch}},
      {{kBatch}, {1}, Shape{kBatch}},
      {{kBatch}, {128}, std::nullopt},
      {{kBatch}, {0}, std::nullopt},
      {{kBatch, 1}, {1, kBatch}, Shape{kBatch, kBatch}},
      {{3}, {4}, std::nullopt},
      {{0}, {2}, std::nullopt},
      {{3, 5}, {3}, std::nullopt},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Broadcast(c.left, c.right), c.common) << ToString(c.left) << " and " << ToString(c.right);
    EXPECT_EQ(Broadcast(c.right, c.left), c.common) << ToString(c.right) << " and " << ToString(c.left);
  }
}

TEST(ElementCount, MultipliesLengths) {
  EXPECT_EQ(ElementCount(Shape()), 1);
  EXPECT_EQ(ElementCount(Shape{2, 3, 4}), 24);
  EXPECT_EQ(ElementCount(Shape{5, 0, 7}), 0);
  EXPECT_EQ(ElementCount(Shape{Shape::kMaxElements}), Shape::kMaxElements);
  EXPECT_EQ(ElementCount(Shape{1 << 20, 1 << 20}), Shape::kMaxElements);
}

TEST(ElementCount, RefusesProductsThatAreTooLargeOrWouldWrap) {
  const int64_t two32 = int64_t{1} << 32;
  const int64_t most = Shape::kMaxElements;
  const std::vector<Dim> products[] = {{most + 1},
                                       {2, most},
                                       {most, 2},
                                       {two32, two32},
                                       {INT64_MAX, 2},
                                       {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX},
                                       {most, most, most, most, most, most},
                                       {4194305, 4194305, 211106198978564}};  // wraps to 4
  for (const std::vector<Dim>& dims : products) {
    EXPECT_THROW(ElementCount(dims), ResourceError);
    EXPECT_THROW(ElementCount(Shape(dims)), ResourceError);
  }
}

TEST(ElementCount, OfNothingIsZeroHoweverLongTheRest) {
  EXPECT_EQ(ElementCount(Shape{0, Shape::kMaxElements}), 0);
  EXPECT_EQ(ElementCount(Shape{Shape::kMaxElements, Shape::kMaxElements, 0}), 0);
}

TEST(ElementCount, NeedsABoundBatch) {
  EXPECT_THAT(Thrown([] { ElementCount(Shape{kBatch, 3}); }), HasSubstr("[N, 3]: the batch size N is not bound"));
  EXPECT_THAT(Thrown([] { ElementCount(Shape{0, kBatch}); }), HasSubstr("not bound"));
}

TEST(ElementCount, RefusesNegativeLengths) {
  const Dim dims[] = {3, -2};
  EXPECT_THAT(Thrown([&dims] { ElementCount(dims); }), HasSubstr("-2"));
}

TEST(NormalizedAxis, CountsFromBothEnds) {
  EXPECT_EQ(NormalizedAxis(0, 3), 0u);
  EXPECT_EQ(NormalizedAxis(2, 3), 2u);
  EXPECT_EQ(NormalizedAxis(-1, 3), 2u);
  EXPECT_EQ(NormalizedAxis(-3, 3), 0u);
}

TEST(NormalizedAxis, RefusesAxesOutside) {
  for (int64_t axis : {int64_t{3}, int64_t{-4}, INT64_MAX, INT64_MIN}) {
    EXPECT_THAT(Thrown([axis] { NormalizedAxis(axis, 3); }), HasSubstr("expected -3 … 2 for rank 3"));
  }
  EXPECT_THAT(Thrown([] { NormalizedAxis(0, 0); }), HasSubstr("a scalar has none"));
  EXPECT_THAT(Thrown([] { NormalizedAxis(-1, 0); }), HasSubstr("a scalar has none"));
}

TEST(TensorType, PrintsDTypeShapeAndKind) {
  EXPECT_EQ(ToString(TensorType{.dtype = DType::kFloat32, .shape = {kBatch, 784}}), "f32[N, 784]");
  EXPECT_EQ(ToString(TensorType{.dtype = DType::kInt64, .shape = {}}), "i64[]");
  EXPECT_EQ(ToString(TensorType{.dtype = DType::kFloat64, .shape = {2}, .kind = ValueKind::kLogProbability}),
            "f64[2] log probability");
  for (DType dtype : kAllDTypes) EXPECT_EQ(ParseDType(Name(dtype)), dtype);
  EXPECT_EQ(ParseDType("F32"), std::nullopt);
}

TEST(ByteSize, CountsBytesAndPadding) {
  EXPECT_EQ(ByteSize(DType::kFloat32, {3, 5}), 60);
  EXPECT_EQ(ByteSize(DType::kBool, {3}), 3);
  EXPECT_EQ(ByteSize(DType::kInt64, {Shape::kMaxElements}), int64_t{1} << 43);
  EXPECT_EQ(PaddedByteSize(0), 64);
  EXPECT_EQ(PaddedByteSize(1), 128);
  EXPECT_EQ(PaddedByteSize(64), 128);
  EXPECT_EQ(PaddedByteSize(65), 192);
  EXPECT_EQ(PaddedByteSize(DType::kFloat32, {16}), 128);
}

TEST(ByteSize, RefusesWhatWouldWrap) {
  EXPECT_THROW(PaddedByteSize(-1), ResourceError);
  EXPECT_THROW(PaddedByteSize(INT64_MAX), ResourceError);
  EXPECT_THROW(PaddedByteSize(INT64_MAX - 127), ResourceError);
  EXPECT_GT(PaddedByteSize(INT64_MAX - 128), 0);
  EXPECT_THROW(ByteSize(DType::kBool, {Shape::kMaxElements, 2}), ResourceError);
}

}  // namespace
}  // namespace weft
