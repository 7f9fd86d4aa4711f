// Gradients: names, sums, order, what is refused, and size.
#include "weft/autodiff/gradients.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "weft/graph/algorithms.h"
#include "weft/graph/compile/passes.h"
#include "weft/graph/error.h"
#include "weft/graph/op.h"
#include "weft/graph/scope.h"
#include "weft/graph/verify.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/operators.h"
#include "weft/tests/support/compiled_graph.h"
#include "weft/tests/support/reference_interpreter.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

Node Input(Graph& graph, std::string_view name, const Shape& shape = {}) {
  return Placeholder(graph, name, shape, {.dtype = DType::kFloat64});
}

// A scalar at a point: placeholders by name.
double ValueOf(Node node, const std::map<std::string, double>& point = {}) {
  std::map<NodeId, Tensor> feeds;
  for (const auto& [name, value] : point) feeds.emplace(node.graph().Find(name).id(), Tensor::Scalar(value));
  return InterpretReference(node.graph(), node, feeds).values<double>()[0];
}

void ExpectMessage(const std::string& message, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << "'" << part << "' in: " << message;
}

TensorType LikeOperand(const TypeContext& context) { return context.operand(0); }

// An op of one operand that computes x; only its gradient rule is of interest.
constexpr OpDef Toy(std::string_view name, GradientRule gradient) {
  return {.name = name,
          .arity = kVariadic,
          .type = LikeOperand,
          .formula = [](std::span<const Tensor> x, const Attributes&, const TensorType&) { return x[0]; },
          .gradient = gradient,
          .lower = View{},
          .samples = [] { return SampleSet{}; }};
}

constinit const OpDef kStep = Toy("Step", NotDifferentiable("it jumps"));
constinit const OpDef kWrongShape = Toy(
    "WrongShape", [](const GradientContext& c) -> Contributions { return {BroadcastTo(c.output_gradient(), {2})}; });
constinit const OpDef kWrongCount = Toy("WrongCount", [](const GradientContext& c) -> Contributions {
  return {c.output_gradient(), c.output_gradient()};
});
constinit const OpDef kGivesOperand = Toy("GivesOperand", [](const GradientContext& c) -> Contributions {
  return {std::nullopt, c.operand(0)};
});
// Answers with the number of operands that it was told to be needed.
constinit const OpDef kCountsNeeds = Toy("CountsNeeds", [](const GradientContext& c) -> Contributions {
  Contributions result(c.output().operands().size());
  double needed = 0;
  for (size_t i = 0; i < result.size(); ++i) needed += c.Needs(i) ? 1 : 0;
  for (auto& contribution : result) contribution = Constant(c.output().graph(), needed, c.output().dtype());
  return result;
});

// Names and operands in canonical order: what must not depend on the order in which an expression was evaluated.
std::string Described(Node target) {
  Graph& graph = target.graph();
  std::string text;
  const NodeId id = target.id();
  for (NodeId at : CanonicalOrder(graph, std::span(&id, 1))) {
    text += graph.name(at).str() + " = " + std::string(*graph.op(at).name);
    for (NodeId operand : graph.operands(at)) text += " " + graph.name(operand).str();
    text += "\n";
  }
  return text;
}

// ---- Values --------------------------------------------------------------------------------------------------------

TEST(Gradients, OfOneUseIsTheRule) {
  Graph graph;
  const Node x = Input(graph, "X");
  const Node g = Gradients(Exp(x), {x})[0];
  EXPECT_EQ(ValueOf(g, {{"X", 0.5}}), std::exp(0.5));
}

TEST(Gradients, SumOverTwoUses) {
  Graph graph;
  const Node x = Input(graph, "X");
  const Node g = Gradients(x * x + Exp(x), {x})[0];  // 2x + eˣ
  EXPECT_DOUBLE_EQ(ValueOf(g, {{"X", 3.0}}), 6 + std::exp(3.0));
}

TEST(Gradients, OfTargetItselfAndOfInnerNodes) {
  Graph graph;
  const Node x = Input(graph, "X");
  const Node y = x * 2.0;
  const Node z = Square(y);
  const auto g = Gradients(z, {z, y, x});
  const std::map<std::string, double> point = {{"X", 3.0}};
  EXPECT_EQ(ValueOf(g[0], point), 1);
  EXPECT_EQ(ValueOf(g[1], point), 12);
  EXPECT_EQ(ValueOf(g[2], point), 24);
}

TEST(Gradients, HaveTheTypeOfTheVariable) {
  Graph graph;
  const Node x = Input(graph, "X", {kBatch, 3});
  const Node w = Input(graph, "W", {3});
  for (const Node& variable : {x, w}) {
    const Node g = Gradients(ReduceSum(x * w), {variable})[0];
    EXPECT_EQ(g.shape(), variable.shape());
    EXPECT_EQ(g.dtype(), variable.dtype());
  }
}

TEST(Gradients, CanBeDifferentiatedAgain) {
  Graph graph;
  const Node x = Input(graph, "X");
  Node y = x * x * x;
  const std::map<std::string, double> point = {{"X", 2.0}};
  for (double expected : {12.0, 12.0, 6.0, 0.0}) {  // 3x², 6x, 6, 0
    y = Gradients(y, {x}, {.unconnected = Unconnected::kZero})[0];
    EXPECT_EQ(ValueOf(y, point), expected);
  }
  Verify(graph);
}

TEST(Gradients, MixedSecondDerivativesAgree) {
  Graph graph;
  const Node x = Input(graph, "X"), y = Input(graph, "Y");
  const Node f = Exp(x * y) + x * Square(y);
  const auto first = Gradients(f, {x, y});
  const Node xy = Gradients(first[0], {y})[0], yx = Gradients(first[1], {x})[0];
  const std::map<std::string, double> point = {{"X", 0.5}, {"Y", 1.5}};
  EXPECT_NEAR(ValueOf(xy, point), std::exp(0.75) * 1.75 + 3, 1e-14);
  EXPECT_NEAR(ValueOf(yx, point), std::exp(0.75) * 1.75 + 3, 1e-14);
}

TEST(Gradients, StopGradientIsAConstant) {
  Graph graph;
  const Node x = Input(graph, "X");
  const auto at = [&](Node y) { return ValueOf(Gradients(y, {x})[0], {{"X", 3.0}}); };
  EXPECT_EQ(at(x * StopGradient(x)), 3);
  EXPECT_EQ(at(StopGradient(x * x)), 0);
  EXPECT_EQ(at(StopGradient(x) + x), 1);
}

TEST(Gradients, ZeroRulesContributeNothing) {
  Graph graph;
  const Node x = Input(graph, "X", {2, 3});
  const auto at = [&](Node y) {
    return InterpretReference(graph, Gradients(ReduceSum(y), {x})[0], {{x.id(), Tensor(DType::kFloat64, {2, 3})}})
        .values<double>()[0];
  };
  const Node zeros = Gradients(ReduceSum(Greater(x, x)), {x})[0];
  EXPECT_EQ(zeros.shape(), x.shape());
  EXPECT_EQ(zeros.dtype(), x.dtype());
  EXPECT_EQ(at(Greater(x, x)), 0);
  EXPECT_EQ(at(Greater(x, x) + x), 1);
}

TEST(Gradients, FollowTheModeThroughByMode) {
  Graph graph;
  const Node x = Input(graph, "X");
  const Node g = Gradients(ByMode(x * 3.0, Square(x)), {x})[0];
  for (const auto& [mode, expected] : {std::pair{Mode::kTraining, 3.0}, std::pair{Mode::kInference, 10.0}}) {
    const NodeId id = g.id();
    CompileGraph bound = Bind(graph, std::span(&id, 1), {}, -1, mode);
    EXPECT_EQ(ValueOf(bound.graph.node(bound.fetches[0]), {{"X", 5.0}}), expected);
  }
}

// ---- Order ---------------------------------------------------------------------------------------------------------

// x·1e17, x·1 and x·(−1e17): their order decides whether the 1 survives.
class ConsumerOrder : public testing::TestWithParam<std::vector<size_t>> {};

TEST_P(ConsumerOrder, IsCanonicalWhateverTheIds) {
  const auto gradient = [](const std::vector<size_t>& creation, const std::vector<size_t>& use) {
    Graph graph;
    const Node x = Input(graph, "X");
    const double factors[] = {1e17, 1, -1e17};
    std::vector<Node> terms(3, x);
    for (size_t i : creation) terms[i] = x * factors[i];
    const Node g = Gradients((terms[use[0]] + terms[use[1]]) + terms[use[2]], {x})[0];
    return ValueOf(g, {{"X", 1.0}});
  };
  EXPECT_EQ(gradient(GetParam(), {0, 1, 2}), 0);  // (1e17 + 1) − 1e17
  EXPECT_EQ(gradient(GetParam(), {0, 2, 1}), 1);  // (1e17 − 1e17) + 1
  EXPECT_EQ(gradient(GetParam(), {1, 0, 2}), 0);
}

TEST_P(ConsumerOrder, IsThatOfKernelsInSinglePrecision) {
  const auto gradient = [](const std::vector<size_t>& creation, const std::vector<size_t>& use) {
    Graph graph;
    const Node x = Placeholder(graph, "X", {});
    const float factors[] = {1e8F, 1, -1e8F};
    std::vector<Node> terms(3, x);
    for (size_t i : creation) terms[i] = x * static_cast<double>(factors[i]);
    const Node g = Gradients((terms[use[0]] + terms[use[1]]) + terms[use[2]], {x})[0];
    return CompiledGraph(graph, {g}).Run({{x.id(), Tensor::Scalar(1.0F)}})[0].values<float>()[0];
  };
  EXPECT_EQ(gradient(GetParam(), {0, 1, 2}), 0);  // (1e8 + 1) − 1e8
  EXPECT_EQ(gradient(GetParam(), {0, 2, 1}), 1);  // (1e8 − 1e8) + 1
}

INSTANTIATE_TEST_SUITE_P(Creation, ConsumerOrder,
                         testing::Values(std::vector<size_t>{0, 1, 2}, std::vector<size_t>{2, 1, 0},
                                         std::vector<size_t>{1, 2, 0}));

TEST(Gradients, SumOperandsOfOneNodeFromLeftToRight) {
  Graph graph;
  const Node x = Input(graph, "X"), a = Constant(graph, 2.0, DType::kFloat64);
  const Node g = Gradients(Named("Y", Select(a, x, x)), {x})[0];
  EXPECT_EQ(g.op().name->substr(0), "Add");
  EXPECT_EQ(&g.operand(0).op(), &kSelect);
  EXPECT_EQ(ValueOf(g.operand(0)), 1);  // of if_true, which stands before if_false
  EXPECT_EQ(ValueOf(g.operand(1)), 0);
}

TEST(Gradients, AreTheSameGraphForEveryOrderOfEvaluation) {
  const auto build = [](bool left_first) {
    Graph graph;
    const Node x = Input(graph, "X");
    std::vector<Node> terms(2, x);
    const auto left = [&] { terms[0] = Named("Left", Square(x)); };
    const auto right = [&] { terms[1] = Named("Right", Exp(x)); };
    if (left_first) left();
    right();
    if (!left_first) left();
    const Node y = Named("Y", terms[0] * terms[1]);
    return Described(Gradients(y, {x})[0]);
  };
  EXPECT_EQ(build(true), build(false));
}

// ---- Names ---------------------------------------------------------------------------------------------------------

TEST(Gradients, AreNamedAfterTheForwardNode) {
  Graph graph;
  const Node x = Input(graph, "X");
  const Node h = [&] {
    const Scope encoder(graph, "Encoder");
    return Named("H", Exp(Named("Double", x * 2.0)));
  }();
  const Scope elsewhere(graph, "Elsewhere");
  const Node g = Gradients(Square(h), {x})[0];
  EXPECT_EQ(g, graph.Find("Gradients/X"));
  EXPECT_EQ(&graph.Find("Gradients/Encoder/H").op(), &kMultiply);
  EXPECT_EQ(graph.Find("Gradients/Encoder/Double").operand(0), graph.Find("Gradients/Encoder/H"));
  EXPECT_EQ(graph.scope(), Path("Elsewhere"));
  const NodeId id = g.id();
  for (NodeId node : CanonicalOrder(graph, std::span(&id, 1))) {
    const Path& name = graph.name(node);
    EXPECT_TRUE(name.IsWithin("Gradients") || Index(node) < Index(g.id())) << name.str();
    EXPECT_FALSE(name.IsWithin("Backward")) << name.str();
  }
}

TEST(Gradients, WhatARuleMakesIsInTheScopeOfItsNode) {
  Graph graph;
  const Node x = Input(graph, "X", {3});
  const Node y = [&] {
    const Scope loss(graph, "Loss");
    return ReduceSum(Named("Wave", Sigmoid(x)));
  }();
  const size_t before = graph.size();
  Gradients(y, {x});
  for (size_t i = before; i < graph.size(); ++i) {
    const Path& name = graph.name(NodeId{static_cast<uint32_t>(i)});
    EXPECT_TRUE(name.IsWithin("Gradients/Loss") || name == Path("Gradients/X")) << name.str();
  }
}

// Automatic names of the forward nodes and of what rules make come from the same words: Multiply, Multiply_1, …
TEST(Gradients, NameOfANodeNeverMeansAnotherOne) {
  Graph graph;
  const Node x = Input(graph, "X"), w = Input(graph, "W");
  std::vector<Node> nodes = {x};
  for (int i = 0; i < 6; ++i) nodes.push_back((nodes.back() * w) * (w * nodes.back()));
  const Node target = nodes.back();
  nodes.clear();
  for (uint32_t i = 0; i < graph.size(); ++i) nodes.push_back(graph.node(NodeId{i}));
  for (int call = 0; call < 3; ++call) {
    const auto gradients = Gradients(target, nodes);
    for (size_t i = 0; i < nodes.size(); ++i) {
      const std::string name = "Gradients/" + nodes[i].name().str();
      if (call == 0) {
        EXPECT_EQ(graph.Find(name), gradients[i]) << name;
      }
      EXPECT_TRUE(gradients[i].name().IsWithin("Gradients"));
    }
  }
  Verify(graph);
}

TEST(Gradients, OfNodesThatAreNotAskedForLeaveTheirNamesFree) {
  Graph graph;
  const Node x = Input(graph, "X"), w = Input(graph, "W");
  const Node apart = w * w;     // Multiply
  Gradients(Exp(Exp(x)), {x});  // its rules make products
  EXPECT_EQ(graph.FindId("Gradients/Multiply"), kNoNode);
  const Node g = Gradients(apart, {apart})[0];
  EXPECT_EQ(g.name(), Path("Gradients/Multiply"));
}

TEST(Gradients, PassedThroughGetsAnAlias) {
  Graph graph;
  const Node a = Input(graph, "A"), b = Input(graph, "B");
  const auto g = Gradients(Named("Sum", a + b), {a, b});
  EXPECT_EQ(g[0], g[1]);
  for (const char* name : {"Gradients/Sum", "Gradients/A", "Gradients/B"}) EXPECT_EQ(graph.Find(name), g[0]);
  EXPECT_EQ(g[0].name(), Path("Gradients/Sum"));
}

TEST(Gradients, CalledAgainCountTheirNames) {
  Graph graph;
  const Node x = Input(graph, "X");
  EXPECT_EQ(Gradients(Named("Y", Exp(x)), {x})[0].name(), Path("Gradients/X"));
  EXPECT_EQ(Gradients(Named("Z", Square(x)), {x})[0].name(), Path("Gradients/X_1"));
  EXPECT_EQ(Gradients(Named("T", Square(x)), {x})[0].name(), Path("Gradients/X_2"));
  EXPECT_EQ(Gradients(graph.Find("Gradients/X"), {x})[0].name(), Path("Gradients/X_3"));
  EXPECT_NE(graph.FindId("Gradients/Gradients/X"), kNoNode);
}

TEST(Gradients, DoNotRenameTheUsersNodes) {
  Graph graph;
  const Node x = Input(graph, "X"), y = Input(graph, "Y");
  const Node automatic = x * y;
  const Node toy = graph.Add(kGivesOperand, {automatic, y});
  EXPECT_EQ(Gradients(toy, {y})[0], automatic);
  EXPECT_EQ(automatic.name(), Path("Multiply"));
}

// ---- What is not connected ------------------------------------------------------------------------------------------

TEST(Gradients, NameAllUnconnectedVariables) {
  Graph graph;
  const Node x = Input(graph, "X"), a = Input(graph, "A"), b = Input(graph, "B");
  const size_t before = graph.size();
  ExpectMessage(Thrown([&] { Gradients(Exp(x), {a, x, b}); }), {"'A', 'B'", "'Exp'"});
  EXPECT_EQ(graph.size(), before + 1);  // Exp alone
}

TEST(Gradients, OfUnconnectedVariablesAreZerosIfAskedFor) {
  Graph graph;
  const Node x = Input(graph, "X"), a = Input(graph, "A", {2, 2});
  const auto g = Gradients(Exp(x), {a, x, a}, {.unconnected = Unconnected::kZero});
  EXPECT_EQ(g[0].shape(), a.shape());
  EXPECT_EQ(g[0], g[2]);
  EXPECT_EQ(ValueOf(g[0]), 0);
  EXPECT_EQ(graph.Find("Gradients/A"), g[0]);
}

TEST(Gradients, OfNothingAreNothing) {
  Graph graph;
  EXPECT_TRUE(Gradients(Exp(Input(graph, "X")), {}).empty());
}

// ---- What is refused -----------------------------------------------------------------------------------------------

TEST(Gradients, RefuseATargetThatIsNoFloatingScalar) {
  Graph graph;
  const Node x = Input(graph, "X", {2});
  const Node i = Placeholder(graph, "I", {}, {.dtype = DType::kInt64});
  ExpectMessage(Thrown([&] { Gradients(x, {x}); }), {"'X'", "f64[2]", "scalar"});
  ExpectMessage(Thrown([&] { Gradients(i, {i}); }), {"floating-point"});
}

TEST(Gradients, RefuseAVariableOfAnotherGraph) {
  Graph graph, other;
  const Node x = Input(graph, "X"), foreign = Input(other, "X");
  ExpectMessage(Thrown([&] { Gradients(Exp(x), {foreign}); }), {"another graph"});
}

TEST(Gradients, NameOpNodeAndReasonOfWhatHasNone) {
  Graph graph;
  const Node x = Input(graph, "X");
  const Node y = Named("Stairs", graph.Add(kStep, {x}));
  ExpectMessage(Thrown([&] { Gradients(Exp(y), {x}); }), {"Step 'Stairs'", "it jumps"});
  EXPECT_NO_THROW(Gradients(Exp(y), {y}));               // not on the way
  EXPECT_NO_THROW(Gradients(StopGradient(y) + x, {x}));  // nothing comes back through it
}

TEST(Gradients, RefuseARuleThatGivesAnotherType) {
  Graph graph;
  const Node x = Input(graph, "X");
  const Node shape = graph.Add(kWrongShape, {x}), count = graph.Add(kWrongCount, {x});
  ExpectMessage(Thrown([&] { Gradients(shape, {x}); }), {"WrongShape 'WrongShape'", "f64[2]", "operand 0", "f64[]"});
  ExpectMessage(Thrown([&] { Gradients(count, {x}); }), {"WrongCount", "2 contributions, expected 1"});
}

TEST(Gradients, TellRulesWhatIsNeeded) {
  Graph graph;
  const Node x = Input(graph, "X"), y = Input(graph, "Y"), z = Input(graph, "Z");
  const Node toy = graph.Add(kCountsNeeds, {x, y, Exp(z)});
  EXPECT_EQ(ValueOf(Gradients(toy, {y})[0]), 1);
  EXPECT_EQ(ValueOf(Gradients(toy, {x, y})[0]), 2);
  EXPECT_EQ(ValueOf(Gradients(toy, {x, y, z})[0]), 3);
}

// ---- Size ----------------------------------------------------------------------------------------------------------

TEST(Gradients, OfAChainOfAMillionNodes) {
  constexpr int kNodes = 1'000'000;
  Graph graph;
  const Node x = Input(graph, "X");
  Node y = x;
  for (int i = 0; i < kNodes; ++i) y = Negate(y);
  const size_t before = graph.size();
  const Node g = Gradients(y, {x})[0];
  EXPECT_EQ(g.name(), Path("Gradients/X"));
  EXPECT_LE(graph.size(), before + kNodes + 1);
}

TEST(Gradients, SumAHundredThousandUses) {
  constexpr int kUses = 100'000;
  Graph graph;
  const Node x = Input(graph, "X");
  Node y = x;
  for (int i = 1; i < kUses; ++i) y = y + x;
  EXPECT_EQ(ValueOf(Gradients(y, {x})[0]), kUses);
}

}  // namespace
}  // namespace weft
