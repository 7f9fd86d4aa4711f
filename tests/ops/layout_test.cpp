// The layout ops where the op matrix does not reach: several blocks, every element size, symbolic shapes, what builders
// leave away, and the sentences of their errors.
#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "weft/autodiff/gradients.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/layout/strided.h"
#include "weft/ops/layout/sum_to_shape.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/step_runner.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

Tensor Counting(const Shape& shape, DType dtype) {
  Tensor tensor(DType::kFloat64, shape);
  const auto values = tensor.values<double>();
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = dtype == DType::kBool ? static_cast<double>(i % 3 == 0) : static_cast<double>(i);
  }
  return tensor;
}

struct Case {
  const OpDef* op;
  std::vector<Shape> operands;
  Attributes attributes;
};

// More than one block each, in rows, in tiles with ragged ends, repeated, and with axes that merge.
std::vector<Case> LargeCases() {
  return {
      {&kBroadcastTo, {{}}, {{"shape", Shape{3, 20001}}}},
      {&kBroadcastTo, {{501}}, {{"shape", Shape{129, 501}}}},
      {&kBroadcastTo, {{129, 1}}, {{"shape", Shape{129, 501}}}},
      {&kBroadcastTo, {{7, 1, 33, 1, 5}}, {{"shape", Shape{3, 7, 11, 33, 2, 5}}}},
      {&kTranspose, {{257, 131}}, {{"permutation", Axes{1, 0}}}},
      {&kTranspose, {{3, 20000}}, {{"permutation", Axes{1, 0}}}},
      {&kTranspose, {{20000, 3}}, {{"permutation", Axes{1, 0}}}},
      {&kTranspose, {{9, 65, 67}}, {{"permutation", Axes{0, 2, 1}}}},
      {&kTranspose, {{65, 9, 67}}, {{"permutation", Axes{2, 1, 0}}}},
      {&kTranspose, {{65, 9, 67}}, {{"permutation", Axes{1, 0, 2}}}},
      {&kTranspose, {{5, 6, 7, 8, 9, 10}}, {{"permutation", Axes{3, 1, 5, 0, 4, 2}}}},
      {&kSlice, {{300, 200}}, {{"axis", int64_t{0}}, {"begin", int64_t{17}}, {"end", int64_t{299}}}},
      {&kSlice, {{300, 200}}, {{"axis", int64_t{1}}, {"begin", int64_t{1}}, {"end", int64_t{198}}}},
      {&kSlice, {{20, 30, 100}}, {{"axis", int64_t{1}}, {"begin", int64_t{3}}, {"end", int64_t{4}}}},
      {&kConcatenate, {{150, 200}, {1, 200}, {99, 200}}, {{"axis", int64_t{0}}}},
      {&kConcatenate, {{300, 100}, {300, 0}, {300, 1}, {300, 77}}, {{"axis", int64_t{1}}}},
      {&kConcatenate, {{50000, 1}, {50000, 1}}, {{"axis", int64_t{1}}}},
  };
}

TEST(LayoutSteps, FollowTheFormulaInAnyOrderOfBlocks) {
  for (const Case& c : LargeCases()) {
    for (DType dtype : kAllDTypes) {
      Graph graph;
      std::vector<Node> nodes;
      std::vector<Tensor> wide, operands;
      for (const Shape& shape : c.operands) {
        nodes.push_back(graph.Add(kPlaceholder, {}, {{"dtype", dtype}, {"shape", shape}}));
        wide.push_back(Counting(shape, dtype));
        operands.push_back(wide.back().Cast(dtype));
      }
      const Node node = graph.Add(*c.op, nodes, c.attributes);
      const Tensor expected = EvaluateReference(*c.op, wide, c.attributes, node.type()).Cast(dtype);
      for (const StepOrder& order :
           {StepOrder{}, StepOrder{.blocks_per_call = 1, .backwards = true}, StepOrder{.blocks_per_call = 2}}) {
        EXPECT_EQ(RunSteps(*c.op, operands, c.attributes, node.type(), order), expected)
            << *c.op->name << " " << Name(dtype) << ToString(c.operands[0]) << " " << ToString(c.attributes);
      }
    }
  }
}

TEST(StridedRead, DropsAndMergesAxes) {
  const auto normalized = [](std::vector<int64_t> lengths, std::vector<int64_t> strides) {
    const StridedRead read = StridedRead{.lengths = std::move(lengths), .strides = std::move(strides)}.Normalized();
    return std::pair(read.lengths, read.strides);
  };
  using Axis = std::vector<int64_t>;
  EXPECT_EQ(normalized({2, 3, 4}, {12, 4, 1}), std::pair(Axis{24}, Axis{1}));
  EXPECT_EQ(normalized({2, 1, 4}, {4, 99, 1}), std::pair(Axis{8}, Axis{1}));
  EXPECT_EQ(normalized({2, 3, 4}, {0, 0, 1}), std::pair(Axis{6, 4}, Axis{0, 1}));
  EXPECT_EQ(normalized({4, 2, 3}, {1, 12, 4}), std::pair(Axis{4, 6}, Axis{1, 4}));
  EXPECT_EQ(normalized({1, 1}, {7, 7}), std::pair(Axis{}, Axis{}));
  EXPECT_EQ(normalized({5, 0}, {7, 7}), std::pair(Axis{0}, Axis{1}));
}

class LayoutBuilders : public testing::Test {
 protected:
  Graph graph;
  Node x = Placeholder(graph, "X", {kBatch, 4, 5});
};

TEST_F(LayoutBuilders, ReturnTheOperandWhereNothingChanges) {
  EXPECT_EQ(BroadcastTo(x, {kBatch, 4, 5}), x);
  EXPECT_EQ(Reshape(x, {kBatch, 4, 5}), x);
  EXPECT_EQ(Transpose(x, {0, 1, 2}), x);
  EXPECT_EQ(Transpose(x, {0, -2, -1}), x);
  EXPECT_EQ(Slice(x, 1, 0, 4), x);
  EXPECT_EQ(Concatenate({x}, 0), x);
  EXPECT_EQ(Cast(x, DType::kFloat32), x);
  EXPECT_EQ(SumToShape(x, {kBatch, 4, 5}), x);
  EXPECT_EQ(graph.size(), 1u);
}

TEST_F(LayoutBuilders, KeepTheBatchSymbolic) {
  EXPECT_EQ(Reshape(x, {20, kBatch}).shape(), Shape({20, kBatch}));
  EXPECT_EQ(Transpose(x, {2, 0, 1}).shape(), Shape({5, kBatch, 4}));
  EXPECT_EQ(Transpose(x, {-1, 0, 1}).shape(), Shape({5, kBatch, 4}));
  EXPECT_EQ(Slice(x, -1, 2, 4).shape(), Shape({kBatch, 4, 2}));
  EXPECT_EQ(Concatenate({x, Slice(x, 1, 0, 1)}, 1).shape(), Shape({kBatch, 5, 5}));
  EXPECT_EQ(BroadcastTo(Placeholder(graph, "Row", {4, 1}), {kBatch, 4, 5}).shape(), Shape({kBatch, 4, 5}));
}

TEST_F(LayoutBuilders, GradientOfALaterPartAloneIsItsOwnSlice) {
  const Node y = Placeholder(graph, "Y", {kBatch, 2, 5}), weights = Placeholder(graph, "Weights", {kBatch, 6, 5});
  const Node gradient = Gradients(ReduceSum(Concatenate({x, y}, 1) * weights), {y})[0];
  ASSERT_EQ(&gradient.op(), &kSlice);
  EXPECT_EQ(gradient.attributes().Get<int64_t>("begin"), 4);
  EXPECT_EQ(gradient.attributes().Get<int64_t>("end"), 6);
}

TEST_F(LayoutBuilders, KeepTheKindOfValues) {
  graph.SetKind(x, ValueKind::kLogits);
  for (const Node& node :
       {BroadcastTo(x, {3, kBatch, 4, 5}), Reshape(x, {kBatch, 20}), Transpose(x, {1, 0, 2}), Slice(x, 1, 0, 2),
        Concatenate({x, x}, 1), Cast(x, DType::kFloat64), StopGradient(x), ByMode(x, x)}) {
    EXPECT_EQ(node.type().kind, ValueKind::kLogits) << node.name().str();
  }
  const Node plain = Placeholder(graph, "Plain", {kBatch, 4, 5});
  EXPECT_EQ(Concatenate({x, plain}, 1).type().kind, ValueKind::kPlain);
  EXPECT_EQ(ByMode(x, plain).type().kind, ValueKind::kPlain);
  EXPECT_EQ(Cast(x, DType::kInt64).type().kind, ValueKind::kPlain);
}

TEST_F(LayoutBuilders, RefuseWithOpNodeAndShapes) {
  const auto expect = [](const std::string& text, std::initializer_list<std::string_view> parts) {
    for (std::string_view part : parts) {
      EXPECT_NE(text.find(part), std::string::npos) << "'" << text << "' lacks '" << part << "'";
    }
  };
  expect(Thrown([&] {
           BroadcastTo(x, {kBatch, 4, 6});
         }),
         {"BroadcastTo 'BroadcastTo'", "does not stretch to [N, 4, 6]", "'X'", "f32[N, 4, 5]"});
  expect(Thrown([&] { BroadcastTo(x, {7, 4, 5}); }), {"does not stretch to [7, 4, 5]"});
  expect(Thrown([&] { BroadcastTo(x, {4, 5}); }), {"does not stretch to [4, 5]"});
  expect(Thrown([&] { Reshape(x, {kBatch, 21}); }), {"Reshape 'Reshape'", "[N, 21]", "f32[N, 4, 5]"});
  expect(Thrown([&] { Reshape(x, {kBatch, kBatch, 20}); }), {"[N, N, 20]"});
  expect(Thrown([&] { Reshape(x, {20}); }), {"[20]"});
  expect(Thrown([&] {
           Transpose(x, {0, 1});
         }),
         {"Transpose 'Transpose'", "got permutation (0, 1), expected one of (0, 1, 2)"});
  expect(Thrown([&] { Transpose(x, {0, 1, 1}); }), {"got permutation (0, 1, 1)"});
  expect(Thrown([&] { Transpose(x, {0, 1, 3}); }), {"axis: got 3"});
  expect(Thrown([&] { Slice(x, 1, 2, 5); }), {"Slice 'Slice'", "got 2 … 5, expected a range within 0 … 4"});
  expect(Thrown([&] { Slice(x, 1, 3, 2); }), {"got 3 … 2"});
  expect(Thrown([&] { Slice(x, 1, -1, 2); }), {"got -1 … 2"});
  expect(Thrown([&] { Slice(x, 0, 0, 2); }), {"batch size N"});
  expect(Thrown([&] { Concatenate({x, x}, 0); }), {"Concatenate 'Concatenate'", "batch size N"});
  expect(Thrown([&] {
           Concatenate({x, Placeholder(graph, "Y", {kBatch, 3, 5})}, 2);
         }),
         {"operands of different lengths beside the axis", "operand 1  'Y'  f32[N, 3, 5]"});
  expect(Thrown([&] {
           Concatenate({x, Placeholder(graph, "D", {kBatch, 4, 5}, {.dtype = DType::kFloat64})}, 2);
         }),
         {"different element types"});
  expect(Thrown([&] { Concatenate({x, Placeholder(graph, "R", {kBatch, 4})}, 1); }), {"different ranks"});
  expect(Thrown([&] { Concatenate({}, 0); }), {"got no parts"});
  expect(Thrown([&] { SumToShape(x, {3, 5}); }), {"[3, 5]"});
}

TEST_F(LayoutBuilders, ConcatenateRefusesLengthsThatOverflow) {
  const Node huge = Placeholder(graph, "Huge", {Shape::kMaxElements});
  EXPECT_NE(Thrown([&] { Concatenate({huge, huge}, 0); }).find("limit of elements"), std::string::npos);
}

TEST_F(LayoutBuilders, SumToShapeSumsWhatABroadcastRepeats) {
  EXPECT_EQ(SumToShape(x, {}).shape(), Shape{});
  EXPECT_EQ(SumToShape(x, {5}).shape(), Shape{5});
  EXPECT_EQ(SumToShape(x, {4, 1}).shape(), Shape({4, 1}));
  EXPECT_EQ(SumToShape(x, {1, 4, 5}).shape(), Shape({1, 4, 5}));  // N repeats a length of 1
  EXPECT_EQ(SumToShape(x, {kBatch, 1, 1}).shape(), Shape({kBatch, 1, 1}));
  const Node thin = Placeholder(graph, "Thin", {1, 3, 1});
  const size_t before = graph.size();
  EXPECT_EQ(SumToShape(thin, {3, 1}).op().name->data(), kReshape.name->data());  // nothing was repeated
  EXPECT_EQ(graph.size(), before + 1);
}

TEST_F(LayoutBuilders, TransposeOfShortAxesIsAView) {
  const Node column = Placeholder(graph, "Column", {7, 1, 3});
  const std::optional<Node> simpler = kTranspose.simplify(Transpose(column, {1, 0, 2}));
  ASSERT_TRUE(simpler.has_value());
  EXPECT_TRUE(simpler->op().is_view());
  EXPECT_EQ(simpler->shape(), Shape({1, 7, 3}));
  EXPECT_FALSE(kTranspose.simplify(Transpose(column, {2, 1, 0})).has_value());
}

}  // namespace
}  // namespace weft
