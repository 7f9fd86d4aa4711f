// Sources: what their builders state, refuse and remember.
#include <gtest/gtest.h>

#include "weft/graph/scope.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

TEST(Variable, HasTypeAndFirstValueOfANode) {
  Graph graph;
  Scope scope(graph, "Encoder");
  const Node initial = RandomNormal(graph, "Draw", {3, 2}, DType::kFloat64);
  const Node w = Variable("W", initial);
  const Node mean = Variable("Mean", Constant(graph, 0.0), {.trainable = false});
  EXPECT_EQ(w.name().str(), "Encoder/W");
  EXPECT_EQ(w.type(), initial.type());
  EXPECT_TRUE(IsTrainable(w));
  EXPECT_FALSE(IsTrainable(mean));
  EXPECT_FALSE(IsTrainable(initial));
  ASSERT_EQ(graph.initial_values().size(), 2u);
  EXPECT_EQ(graph.initial_values()[0], Graph::Pair(w.id(), initial.id()));
}

TEST(Variable, RefusesTheBatchSize) {
  Graph graph;
  const std::string text = Thrown([&] { Variable("W", Placeholder(graph, "X", {kBatch, 2})); });
  EXPECT_NE(text.find("Variable 'W': got shape [N, 2]"), std::string::npos) << text;
}

TEST(Constant, HoldsItsValueInItsType) {
  Graph graph;
  const auto value = [](Node node) { return *node.attributes().Get<std::shared_ptr<const Tensor>>("value"); };
  EXPECT_EQ(value(Constant(graph, 0.1)), Tensor::Scalar(0.1f));
  EXPECT_EQ(value(Constant(graph, 0.1, DType::kFloat64)), Tensor::Scalar(0.1));
  EXPECT_EQ(value(Constant(graph, 7, DType::kInt64)), Tensor::Scalar(int64_t{7}));
  EXPECT_EQ(Constant(graph, Tensor(DType::kBool, {2, 3})).type(), (TensorType{.dtype = DType::kBool, .shape = {2, 3}}));
}

TEST(RandomState, IsOneAGraphWhateverTheScope) {
  Graph graph;
  Scope scope(graph, "Encoder");
  const Node state = RandomState(graph);
  EXPECT_EQ(state.name().str(), "RandomState");
  EXPECT_EQ(graph.scope().str(), "Encoder");
  Scope inner(graph, "Deeper");
  EXPECT_EQ(RandomState(graph), state);
}

TEST(RandomState, IsRefusedIfItsNameIsTaken) {
  Graph graph;
  Placeholder(graph, "RandomState", {2});
  EXPECT_NE(Thrown([&] { RandomState(graph); }).find("name 'RandomState': taken by a Placeholder"), std::string::npos);
}

TEST(ElementCount, BecomesAConstantOnceBound) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {6, 4, 5}, {.dtype = DType::kFloat64});
  const Node count = ElementCount(x, {-1, 0, 0});
  EXPECT_EQ(count.attributes().Get<Axes>("axes"), (Axes{0, 2}));
  const std::optional<Node> constant = kElementCount.simplify(count);
  ASSERT_TRUE(constant.has_value());
  EXPECT_EQ(*constant->attributes().Get<std::shared_ptr<const Tensor>>("value"), Tensor::Scalar(30.0));
}

}  // namespace
}  // namespace weft
