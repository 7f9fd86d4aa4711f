// What the elementwise ops decide beside their kernels: gradients at kinks, kinds, refusals, what simplifies to what.
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "weft/autodiff/gradients.h"
#include "weft/graph/op.h"
#include "weft/ops/elementwise/elementwise.h"
#include "weft/ops/operators.h"
#include "weft/tests/support/compiled_graph.h"
#include "weft/tests/support/reference_interpreter.h"
#include "weft/tests/support/simd_targets.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Node Less1(Node x) { return x * Less(x, Constant(x.graph(), 1, x.dtype())); }
Node Greater1(Node x) { return x * Greater(x, Constant(x.graph(), 1, x.dtype())); }
Node LogWherePositive(Node x) { return Select(Greater(x, Constant(x.graph(), 0, x.dtype())), Log(x), x); }

Node Operand(Graph& graph, std::string_view name) { return Placeholder(graph, name, {}, {.dtype = DType::kFloat64}); }

bool Contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(ElementwiseGradient, AtAKinkFollowsTheConvention) {
  struct Kink {
    const char* what;
    Node (*function)(Node);
    double x, gradient;
  };
  const Kink kinks[] = {
      {"Relu at 0", Relu, 0, 0},
      {"Relu above", Relu, 2, 1},
      {"Abs at 0", Abs, 0, 0},
      {"Abs at -0", Abs, -0.0, 0},
      {"Abs below", Abs, -2, -1},
      {"LeakyRelu at 0", [](Node x) { return LeakyRelu(x, 0.25); }, 0, 0.25},
      {"Elu at 0", [](Node x) { return Elu(x, 0.5); }, 0, 0.5},
      {"Elu far above, where e^x is infinite", [](Node x) { return Elu(x, 0.5); }, 1e4, 1},
      {"Clamp at its low end", [](Node x) { return Clamp(x, -1, 2); }, -1, 1},
      {"Clamp at its high end", [](Node x) { return Clamp(x, -1, 2); }, 2, 1},
      {"Clamp inside", [](Node x) { return Clamp(x, -1, 2); }, 0.5, 1},
      {"Clamp outside", [](Node x) { return Clamp(x, -1, 2); }, 2.5, 0},
      {"x where greater than 1, at 1", Greater1, 1, 0},
      {"x where less than 1, at 0", Less1, 0, 1},
      {"Select beside what has no value", LogWherePositive, -1, 1},
  };
  for (const Kink& kink : kinks) {
    Graph graph;
    const Node x = Operand(graph, "X");
    const Node gradient = Gradients(kink.function(x), {x})[0];
    const std::map<NodeId, Tensor> feeds = {{x.id(), Tensor::Scalar(kink.x)}};
    EXPECT_EQ(InterpretReference(graph, gradient, feeds).values<double>()[0], kink.gradient) << kink.what;
    for (const int64_t target : SimdTargets()) {
      const OnSimdTarget on(target);
      EXPECT_EQ(CompiledGraph(graph, {gradient}).Run(feeds)[0].values<double>()[0], kink.gradient)
          << kink.what << " on " << SimdTargetName(target);
    }
  }
}

TEST(ReductionGradient, IsSharedEvenlyByTies) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {5}, {.dtype = DType::kFloat64});
  const Node gradient = Gradients(ReduceMax(x), {x})[0];
  const std::map<NodeId, Tensor> feeds = {{x.id(), Tensor::Of<double>({5}, {1, 3, -2, 3, 2})}};
  const Tensor expected = Tensor::Of<double>({5}, {0, 0.5, 0, 0.5, 0});
  EXPECT_EQ(InterpretReference(graph, gradient, feeds), expected);
  EXPECT_EQ(CompiledGraph(graph, {gradient}).Run(feeds)[0], expected);
}

TEST(ElementwiseGradient, OfATieGoesToTheFirst) {
  for (Node (*function)(Node, Node) : {Minimum, Maximum}) {
    Graph graph;
    const Node a = Operand(graph, "A"), b = Operand(graph, "B");
    const std::vector<Node> gradients = Gradients(function(a, b), {a, b});
    const Tensor three = Tensor::Scalar(3.0);
    const std::vector<Tensor> values = InterpretReference(graph, gradients, {{a.id(), three}, {b.id(), three}});
    EXPECT_EQ(values[0].values<double>()[0], 1);
    EXPECT_EQ(values[1].values<double>()[0], 0);
  }
}

TEST(Elementwise, ResultsKnowTheirKind) {
  Graph graph;
  const Node x = Operand(graph, "X");
  EXPECT_EQ(Sigmoid(x).type().kind, ValueKind::kProbability);
  EXPECT_EQ(Greater(x, x).type().kind, ValueKind::kMask);
  EXPECT_EQ((2.0 * Sigmoid(x)).type().kind, ValueKind::kPlain);
}

TEST(Elementwise, RefusesWhatDoesNotFit) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {3, 4}), y = Placeholder(graph, "Y", {5});
  const Node wide = Placeholder(graph, "Wide", {3, 4}, {.dtype = DType::kFloat64});
  const Node count = Placeholder(graph, "Count", {3, 4}, {.dtype = DType::kInt64});
  struct Refusal {
    std::string sentence;
    std::vector<std::string_view> parts;
  };
  const Refusal refusals[] = {
      {Thrown([&] { Subtract(x, y); }), {"Subtract", "do not broadcast", "X", "f32[3, 4]", "Y", "f32[5]"}},
      {Thrown([&] { Multiply(x, wide); }), {"Multiply", "element types", "f32[3, 4]", "f64[3, 4]"}},
      {Thrown([&] { Exp(count); }), {"Exp", "floating-point", "Count", "i64[3, 4]"}},
      {Thrown([&] { Clamp(x, 2, 1); }), {"Clamp", "X", "low = 2", "high = 1"}},
      {Thrown([&] { Clamp(x, 0, std::numeric_limits<double>::quiet_NaN()); }), {"Clamp", "nan"}},
      {Thrown([&] { LeakyRelu(x, kInfinity); }), {"LeakyRelu", "slope", "finite"}},
      {Thrown([&] { Elu(x, kInfinity); }), {"Elu", "alpha", "finite"}},
      {Thrown([&] {
         graph.Add(Greater(x, x).op(), {x, x}, {{"relation", std::string("<")}});
       }),
       {"Compare", "'<'", "expected >, >=, == or !="}},
      {Thrown([&] { SigmoidCrossEntropy({.logits = Sigmoid(x), .target = x}); }),
       {"SigmoidCrossEntropy", "probabilities", "expected the values before the sigmoid", "Sigmoid"}},
  };
  for (const Refusal& refusal : refusals) {
    for (std::string_view part : refusal.parts) {
      EXPECT_TRUE(Contains(refusal.sentence, part)) << part << " in: " << refusal.sentence;
    }
  }
}

TEST(UniformValue, IsThatOfAConstantOfEqualElements) {
  Graph graph;
  const Node three = Constant(graph, 3, DType::kFloat32);
  EXPECT_EQ(UniformValue(three), 3);
  EXPECT_EQ(UniformValue(BroadcastTo(three, {2, 5})), 3);
  EXPECT_EQ(UniformValue(Constant(graph, Tensor::Of<double>({3}, {0.5, 0.5, 0.5}))), 0.5);
  EXPECT_EQ(UniformValue(Constant(graph, Tensor::Of<double>({3}, {0.5, 0.5, 0.25}))), std::nullopt);
  EXPECT_EQ(UniformValue(Constant(graph, Tensor::Of<float>({2}, {0.0f, -0.0f}))), std::nullopt);
  EXPECT_EQ(UniformValue(Constant(graph, Tensor(DType::kFloat32, {0}))), std::nullopt);
  EXPECT_EQ(UniformValue(Constant(graph, 1, DType::kInt64)), std::nullopt);
  EXPECT_EQ(UniformValue(Placeholder(graph, "X", {})), std::nullopt);
}

TEST(ElementwiseSimplify, KeepsBits) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {2, 3}), y = Placeholder(graph, "Y", {2, 3});
  const auto simplified = [](Node node) { return node.op().simplify(node); };
  EXPECT_EQ(simplified(x * 1.0), x);
  EXPECT_EQ(simplified(1.0 * x), x);
  EXPECT_EQ(simplified(x * 2.0), std::nullopt);
  EXPECT_EQ(simplified(x * y), std::nullopt);
  EXPECT_EQ(simplified(x / 1.0), x);
  EXPECT_EQ(simplified(1.0 / x), std::nullopt);
  EXPECT_EQ(simplified(x - 0.0), x);
  EXPECT_EQ(simplified(x - -0.0), std::nullopt);  // −0 − −0 = 0
  EXPECT_EQ(simplified(0.0 - x), std::nullopt);   // 0 − 0 = 0, not −0
  EXPECT_EQ(simplified(-(-x)), x);
  EXPECT_EQ(simplified(-x), std::nullopt);
  EXPECT_EQ(simplified(Select(Constant(graph, 1, DType::kFloat32), x, y)), x);
  EXPECT_EQ(simplified(Select(Constant(graph, 0, DType::kFloat32), x, y)), y);
  EXPECT_EQ(simplified(Select(x, x, y)), std::nullopt);
}

}  // namespace
}  // namespace weft
