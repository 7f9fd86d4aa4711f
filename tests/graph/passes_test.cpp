// Each pass alone: what it drops and keeps, and that the values have the same bits.
#include "weft/graph/compile/passes.h"

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "weft/autodiff/gradients.h"
#include "weft/graph/algorithms.h"
#include "weft/graph/op.h"
#include "weft/graph/scope.h"
#include "weft/graph/verify.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/operators.h"
#include "weft/tests/support/reference_interpreter.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

using Pass = CompileGraph (*)(CompileGraph);

constexpr std::pair<std::string_view, Pass> kPasses[] = {
    {"Prune", Prune}, {"Fold", Fold}, {"Deduplicate", Deduplicate}, {"Simplify", Simplify}};

std::string Text(const Graph& graph) {
  std::string text;
  for (uint32_t i = 0; i < graph.size(); ++i) {
    const NodeId id{i};
    text += graph.name(id).str() + (graph.has_stated_name(id) ? " = " : " ~ ") + std::string(*graph.op(id).name) + " " +
            ToString(graph.type(id)) + " " + ToString(graph.attributes(id));
    for (NodeId operand : graph.operands(id)) text += " " + graph.name(operand).str();
    text += "\n";
  }
  for (const auto& [alias, id] : std::map(graph.aliases().begin(), graph.aliases().end()))
    text += alias + " → " + graph.name(id).str() + "\n";
  return text;
}

CompileGraph Bound(Graph& graph, std::initializer_list<Node> fetches, int64_t batch = -1,
                   Mode mode = Mode::kInference) {
  std::vector<NodeId> ids;
  for (const Node& fetch : fetches) ids.push_back(fetch.id());
  const std::string before = Text(graph);
  CompileGraph bound = Bind(graph, ids, graph.updates(), batch, mode);
  EXPECT_EQ(Text(graph), before);
  Verify(bound.graph);
  return bound;
}

CompileGraph CopyOf(const CompileGraph& from) {
  std::vector<NodeId> all;
  for (uint32_t i = 0; i < from.graph.size(); ++i) all.push_back(NodeId{i});
  return {.graph = from.graph.Part(all), .fetches = from.fetches, .updates = from.updates};
}

CompileGraph After(Pass pass, const CompileGraph& from) {
  CompileGraph result = pass(CopyOf(from));
  EXPECT_EQ(result.fetches.size(), from.fetches.size());
  EXPECT_EQ(result.updates.size(), from.updates.size());
  EXPECT_EQ(Text(pass(CopyOf(result)).graph), Text(result.graph)) << "a second time changes something";
  Verify(result.graph);
  return result;
}

Node Fetch(CompileGraph& graph, size_t i = 0) { return graph.graph.node(graph.fetches[i]); }

size_t CountOf(const Graph& graph, const OpDef& op) {
  size_t count = 0;
  for (uint32_t i = 0; i < graph.size(); ++i) count += &graph.op(NodeId{i}) == &op ? 1 : 0;
  return count;
}

const Tensor& ConstantValue(const Node& node) { return *node.attributes().Get<std::shared_ptr<const Tensor>>("value"); }

// ---- Bind ----------------------------------------------------------------------------------------------------------

TEST(Bind, PutsANumberForN) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 3});
  const Node y = x * 2.0;
  CompileGraph bound = Bound(graph, {y}, 5);
  EXPECT_EQ(Fetch(bound).shape(), (Shape{5, 3}));
  EXPECT_EQ(bound.graph.Find("X").attributes().Get<Shape>("shape"), (Shape{5, 3}));
  EXPECT_EQ(Fetch(bound).operand(1).attributes().Get<Shape>("shape"), (Shape{5, 3}));
  EXPECT_EQ(x.shape(), (Shape{kBatch, 3}));
}

TEST(Bind, RefusesNWithoutANumber) {
  Graph graph;
  const Node y = Exp(Placeholder(graph, "X", {kBatch, 3}));
  const std::string message = Thrown([&] { Bound(graph, {y}); });
  EXPECT_NE(message.find("'X'"), std::string::npos) << message;
  EXPECT_NE(message.find("[N, 3]"), std::string::npos) << message;
  EXPECT_NO_THROW(Bound(graph, {Exp(Placeholder(graph, "Z", {3}))}));  // what is not needed need not be bound
}

TEST(Bind, RefusesANodeThatIsNotThere) {
  Graph graph;
  const NodeId id{7};
  EXPECT_NE(Thrown([&] { Bind(graph, std::span(&id, 1), {}, -1, Mode::kInference); }).find("node 7"),
            std::string::npos);
}

TEST(Bind, NumbersNodesInCanonicalOrder) {
  Graph graph;
  const Node a = Placeholder(graph, "A", {}), b = Placeholder(graph, "B", {});
  const Node right = Named("Right", Exp(b)), left = Named("Left", Exp(a));
  const Node y = Named("Y", left * right);
  Placeholder(graph, "Unused", {});
  CompileGraph bound = Bound(graph, {y, a});
  std::vector<std::string> names;
  for (uint32_t i = 0; i < bound.graph.size(); ++i) names.push_back(bound.graph.name(NodeId{i}).str());
  EXPECT_EQ(names, (std::vector<std::string>{"A", "Left", "B", "Right", "Y"}));
  EXPECT_EQ(Fetch(bound, 1).name(), Path("A"));
}

TEST(Bind, OrderIsThatOfCanonicalOrder) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {2, 2}), w = Placeholder(graph, "W", {2});
  const Node loss = ReduceSum(Sigmoid(x * w) + Softplus(x) * w);
  const std::vector<Node> g = Gradients(loss, {x, w});
  const NodeId targets[] = {g[1].id(), loss.id(), g[0].id()};
  CompileGraph bound = Bind(graph, targets, {}, -1, Mode::kTraining);
  const std::vector<NodeId> order = CanonicalOrder(graph, targets);
  ASSERT_EQ(bound.graph.size(), order.size());
  for (uint32_t i = 0; i < order.size(); ++i) EXPECT_EQ(bound.graph.name(NodeId{i}), graph.name(order[i]));
}

TEST(Bind, KeepsTheChosenOperandAndNeverCopiesTheOther) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {}), only = Placeholder(graph, "OnlyInTraining", {});
  const Node chosen = Named("Chosen", ByMode(Named("Train", x * only), Named("Infer", Exp(x))));
  const Node y = Square(chosen);
  CompileGraph training = Bound(graph, {y, chosen}, -1, Mode::kTraining);
  EXPECT_EQ(training.graph.FindId("Infer"), kNoNode);
  EXPECT_EQ(Fetch(training).operand(0), training.graph.Find("Train"));
  CompileGraph inference = Bound(graph, {y, chosen}, -1, Mode::kInference);
  EXPECT_EQ(inference.graph.FindId("Train"), kNoNode);
  EXPECT_EQ(inference.graph.FindId("OnlyInTraining"), kNoNode);
  EXPECT_EQ(Fetch(inference).operand(0), inference.graph.Find("Infer"));
  EXPECT_EQ(inference.graph.Find("Chosen"), inference.graph.Find("Infer"));  // both names find it
  EXPECT_EQ(Fetch(inference, 1).name(), Path("Infer"));
  EXPECT_EQ(CountOf(inference.graph, kByMode), 0u);
}

TEST(Bind, ChoosesThroughNestedChoices) {
  Graph graph;
  const Node a = Placeholder(graph, "A", {}), b = Placeholder(graph, "B", {}), c = Placeholder(graph, "C", {});
  const Node y = ByMode(ByMode(a, b), ByMode(b, c));
  CompileGraph training = Bound(graph, {y}, -1, Mode::kTraining), inference = Bound(graph, {y}, -1, Mode::kInference);
  EXPECT_EQ(training.graph.size(), 1u);
  EXPECT_EQ(Fetch(training).name(), Path("A"));
  EXPECT_EQ(Fetch(inference).name(), Path("C"));
}

// A choice between a probability and something else is plain; what is chosen is what it is.
TEST(Bind, AsksTheTypeRuleAgainWhereAChoiceHidAKind) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {3});
  const Node loss = SigmoidCrossEntropy({.logits = ByMode(Sigmoid(x), x), .target = x});
  EXPECT_NO_THROW(Bound(graph, {loss}, -1, Mode::kInference));
  EXPECT_NE(Thrown([&] { Bound(graph, {loss}, -1, Mode::kTraining); }).find("SigmoidCrossEntropy"), std::string::npos);
}

TEST(Bind, TakesNextValuesAndTheirVariablesAlong) {
  Graph graph;
  const Node w = Variable("W", Constant(graph, 1.0)), step = Variable("Step", Constant(graph, 0.0));
  graph.AddUpdate(w, w * 2.0);
  graph.AddUpdate(step, Constant(graph, 7.0));
  CompileGraph bound = Bound(graph, {});
  ASSERT_EQ(bound.updates.size(), 2u);
  EXPECT_EQ(bound.graph.name(bound.updates[0].first), Path("W"));
  EXPECT_EQ(&bound.graph.op(bound.updates[0].second), &kMultiply);
  EXPECT_EQ(bound.graph.name(bound.updates[1].first), Path("Step"));  // though nothing reads it
}

TEST(Bind, CarriesKindsAndAliases) {
  Graph graph;
  const Node x = Named("X2", Placeholder(graph, "X", {}));
  const Node p = Exp(x);
  graph.SetKind(p, ValueKind::kProbability);
  CompileGraph bound = Bound(graph, {p});
  EXPECT_EQ(Fetch(bound).type().kind, ValueKind::kProbability);
  EXPECT_EQ(bound.graph.Find("X2"), bound.graph.Find("X"));
  EXPECT_EQ(bound.graph.Find("X2").name(), Path("X"));
  EXPECT_EQ(bound.graph.Find("Exp"), Fetch(bound));  // an automatic name is carried too
}

// ---- Prune ---------------------------------------------------------------------------------------------------------

TEST(Prune, DropsWhatNothingNeeds) {
  CompileGraph from;
  const Node x = Placeholder(from.graph, "X", {}), v = Variable("V", Constant(from.graph, 1.0));
  const Node y = Named("Y", Exp(x));
  Named("Dead", Square(y));
  from.fetches = {y.id()};
  from.updates = {{v.id(), y.id()}};
  const CompileGraph pruned = After(Prune, from);
  EXPECT_EQ(pruned.graph.size(), 3u);
  EXPECT_EQ(pruned.graph.name(pruned.fetches[0]), Path("Y"));
  EXPECT_EQ(pruned.graph.name(pruned.updates[0].first), Path("V"));
  EXPECT_EQ(pruned.updates[0].second, pruned.fetches[0]);
}

// ---- Fold ----------------------------------------------------------------------------------------------------------

Tensor Numbers(const Shape& shape, double first, double last) {
  Tensor tensor(DType::kFloat32, shape);
  const auto values = tensor.values<float>();
  for (size_t i = 0; i < values.size(); ++i)
    values[i] =
        static_cast<float>(first + (last - first) * static_cast<double>(i) / static_cast<double>(values.size()));
  return tensor;
}

TEST(Fold, ComputesElementwiseNodesOfConstants) {
  Graph graph;
  const Node y = Named("Y", Exp(Constant(graph, 0.5)) * 2.0 + Constant(graph, 1.0));
  CompileGraph folded = After(Fold, Bound(graph, {y}));
  ASSERT_EQ(folded.graph.size(), 1u);
  EXPECT_EQ(&Fetch(folded).op(), &kConstant);
  EXPECT_EQ(Fetch(folded).name(), Path("Y"));
  EXPECT_FLOAT_EQ(ConstantValue(Fetch(folded)).values<float>()[0], 2 * std::exp(0.5f) + 1);
}

// The kernel of an op of one operand, called once for each element of `x`.
Tensor OneByOne(const OpDef& op, const Tensor& x) {
  Tensor result(x.dtype(), x.shape()), from(x.dtype(), {}), to(x.dtype(), {});
  for (size_t i = 0; i < static_cast<size_t>(x.size()); ++i) {
    from.values<float>()[0] = x.values<float>()[i];
    const BlockInput input = {.data = from.bytes().data(), .stride = 1, .row_stride = 0};
    const BlockOutput output = {.data = to.bytes().data(), .row_stride = 0};
    const Attributes none;
    std::get<PerBlock>(*op.lower).kernel({.dtype = x.dtype(),
                                          .rows = 1,
                                          .count = 1,
                                          .inputs = {&input, 1},
                                          .outputs = {&output, 1},
                                          .attributes = &none});
    result.values<float>()[i] = to.values<float>()[0];
  }
  return result;
}

TEST(Fold, GivesTheBitsOfTheKernel) {
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{17}, Shape{1024}, Shape{3, 1000}, Shape{0, 3}}) {
    Graph graph;
    const Tensor x = Numbers(shape, -3, 5);
    CompileGraph folded = After(Fold, Bound(graph, {Exp(Constant(graph, x))}));
    ASSERT_EQ(folded.graph.size(), 1u);
    EXPECT_EQ(ConstantValue(Fetch(folded)), OneByOne(kExp, x)) << ToString(shape);
  }
}

TEST(Fold, KeepsABroadcastOfAScalar) {
  Graph graph;
  const Node c = BroadcastTo(Constant(graph, 2.0), {1000, 1000});
  CompileGraph folded = After(Fold, Bound(graph, {Square(c) + c * 3.0 + Constant(graph, 1.0)}));
  ASSERT_EQ(folded.graph.size(), 2u);
  EXPECT_EQ(&Fetch(folded).op(), &kBroadcastTo);
  EXPECT_EQ(Fetch(folded).shape(), (Shape{1000, 1000}));
  EXPECT_EQ(ConstantValue(Fetch(folded).operand(0)), Tensor::Scalar(11.0f));
}

TEST(Fold, StretchesScalarsAlongARow) {
  Graph graph;
  const Node row = Constant(graph, Tensor::Of<float>({3}, {1, 2, 3}));
  CompileGraph folded = After(Fold, Bound(graph, {BroadcastTo(row, {2, 3}) * 2.0, row * row + 1.0}));
  EXPECT_EQ(&Fetch(folded).op(), &kBroadcastTo);
  EXPECT_EQ(ConstantValue(Fetch(folded).operand(0)), Tensor::Of<float>({3}, {2, 4, 6}));
  EXPECT_EQ(ConstantValue(Fetch(folded, 1)), Tensor::Of<float>({3}, {2, 5, 10}));
}

TEST(Fold, SeesThroughViews) {
  Graph graph;
  const Node c = Constant(graph, Tensor::Of<float>({2, 2}, {1, 2, 3, 4}));
  CompileGraph folded = After(Fold, Bound(graph, {Negate(Reshape(c, {4}))}));
  ASSERT_EQ(folded.graph.size(), 1u);
  EXPECT_EQ(ConstantValue(Fetch(folded)), Tensor::Of<float>({4}, {-1, -2, -3, -4}));
}

TEST(Fold, LeavesTheRest) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {4});
  const Node row = Constant(graph, Tensor::Of<float>({3}, {1, 2, 3})),
             column = Constant(graph, Tensor::Of<float>({2, 1}, {1, 2}));
  const Node large = Exp(Constant(graph, Numbers({65'537}, 0, 1)));
  const CompileGraph before = Bound(graph, {x * 2.0, row + column, large, ReduceSum(row)});
  EXPECT_EQ(Text(After(Fold, before).graph), Text(before.graph));
  EXPECT_EQ(Fold(Bound(graph, {Exp(Constant(graph, Numbers({65'536}, 0, 1)))})).graph.size(), 1u);
}

TEST(Fold, RoundsAsStepsDoWhateverTheHostHasSet) {
  Graph graph;
  const CompileGraph bound = Bound(graph, {Constant(graph, 1.0) / 3.0});
  CompileGraph nearest = Fold(CopyOf(bound));
  std::fesetround(FE_UPWARD);
  CompileGraph upward = Fold(CopyOf(bound));
  EXPECT_EQ(std::fegetround(), FE_UPWARD);
  std::fesetround(FE_TONEAREST);
  EXPECT_EQ(ConstantValue(Fetch(nearest)), ConstantValue(Fetch(upward)));
}

TEST(Fold, CarriesTheKind) {
  Graph graph;
  const Node p = Sigmoid(Constant(graph, 0.0));
  CompileGraph folded = After(Fold, Bound(graph, {p}));
  EXPECT_EQ(&Fetch(folded).op(), &kConstant);
  EXPECT_EQ(Fetch(folded).type().kind, p.type().kind);
}

// ---- Deduplicate ---------------------------------------------------------------------------------------------------

TEST(Deduplicate, MakesOneOfEqualChains) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {3});
  const auto chain = [&] { return Exp(x * 2.0) + 1.0; };
  const Node a = Named("First", chain()), b = Named("Second", chain());
  CompileGraph bound = Bound(graph, {a, b, a - b});
  CompileGraph single = After(Deduplicate, bound);
  EXPECT_EQ(single.fetches[0], single.fetches[1]);
  EXPECT_EQ(CountOf(single.graph, kExp), 1u);
  EXPECT_EQ(CountOf(single.graph, kConstant), 2u);
  EXPECT_EQ(single.graph.Find("First"), single.graph.Find("Second"));
  EXPECT_EQ(single.graph.Find("First").name(), Path("First"));
  EXPECT_EQ(Fetch(single, 2).operand(0), Fetch(single, 2).operand(1));
}

TEST(Deduplicate, KeepsWhatOnlyLooksEqual) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {2, 2}), y = Placeholder(graph, "Y", {2, 2});
  const Node v = Variable("V", Constant(graph, 1.0)), w = Variable("W", Constant(graph, 1.0));
  const Node kind = Exp(x);
  graph.SetKind(kind, ValueKind::kProbability);
  const std::vector<std::pair<Node, Node>> pairs = {
      {x, y},
      {v, w},
      {x - y, y - x},
      {LeakyRelu(x, 0.1), LeakyRelu(x, 0.2)},
      {Greater(x, y), Equal(x, y)},
      {ReduceSum(x, {0}), ReduceSum(x, {1})},
      {Constant(graph, 0.0), Constant(graph, -0.0)},
      {Constant(graph, 1.0), Constant(graph, 1.0, DType::kFloat64)},
      {RandomUniform(graph, "A", {2}), RandomUniform(graph, "B", {2})},
      {kind, Exp(x)},
  };
  for (const auto& [a, b] : pairs) {
    const CompileGraph single = After(Deduplicate, Bound(graph, {a, b}));
    EXPECT_NE(single.fetches[0], single.fetches[1]) << a.name().str();
  }
}

// Some of so many have the same hash: 2.8 pairs are to be expected.
TEST(Deduplicate, KeepsWhatHasTheSameHash) {
  constexpr uint32_t kCount = 155'000;
  Graph graph;
  const Node x = Placeholder(graph, "X", {2});
  std::vector<NodeId> fetches;
  for (uint32_t i = 0; i < kCount; ++i) fetches.push_back(LeakyRelu(x, (i + 1.0) / (kCount + 1.0)).id());
  const CompileGraph single = Deduplicate(Bind(graph, fetches, {}, -1, Mode::kInference));
  EXPECT_EQ(CountOf(single.graph, kLeakyRelu), kCount);
}

TEST(Deduplicate, FindsEqualConstantsByTheirBits) {
  Graph graph;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [a, b] :
       {std::pair{Constant(graph, 2.5), Constant(graph, 2.5)}, std::pair{Constant(graph, nan), Constant(graph, nan)},
        std::pair{Constant(graph, Numbers({5}, 0, 1)), Constant(graph, Numbers({5}, 0, 1))}}) {
    const CompileGraph single = After(Deduplicate, Bound(graph, {a, b}));
    EXPECT_EQ(single.fetches[0], single.fetches[1]);
  }
}

// ---- Simplify ------------------------------------------------------------------------------------------------------

TEST(Simplify, DropsIdentities) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 3});
  const Node bias = Placeholder(graph, "Bias", {1, 3});
  const Node y = Named("Y", StopGradient(Named("Same", Reshape(StopGradient(x), {kBatch, 3}))) * 1.0);
  CompileGraph simple = After(Simplify, Bound(graph, {y, BroadcastTo(bias, {kBatch, 3})}, 1));
  EXPECT_EQ(simple.graph.size(), 2u);
  EXPECT_EQ(Fetch(simple).name(), Path("X"));
  EXPECT_EQ(simple.graph.Find("Y"), Fetch(simple));
  EXPECT_EQ(Fetch(simple, 1).name(), Path("Bias"));  // N is 1
}

TEST(Simplify, MakesElementCountAConstant) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 3});
  CompileGraph simple = After(Simplify, Bound(graph, {Named("Count", ElementCount(x, {0, 1}))}, 4));
  ASSERT_EQ(simple.graph.size(), 1u);
  EXPECT_EQ(Fetch(simple).name(), Path("Count"));
  EXPECT_EQ(ConstantValue(Fetch(simple)), Tensor::Scalar(12.0f));
}

TensorType LikeOperand(const TypeContext& context) {
  return {.dtype = context.operand(0).dtype, .shape = context.operand(0).shape};
}

constexpr OpDef Toy(std::string_view name, SimplifyRule simplify) {
  return {.name = name,
          .arity = 1,
          .type = LikeOperand,
          .formula = [](double x) { return x; },
          .gradient = NotDifferentiable("a toy"),
          .lower = InSteps{[](LoweringContext&) {}},
          .samples = [] { return SampleSet{}; },
          .simplify = simplify};
}

extern const OpDef kPong;
constinit const OpDef kPing =
    Toy("Ping", [](Node node) -> std::optional<Node> { return node.graph().Add(kPong, {node.operand(0)}); });
constinit const OpDef kPong =
    Toy("Pong", [](Node node) -> std::optional<Node> { return node.graph().Add(kPing, {node.operand(0)}); });
constinit const OpDef kShrinks =
    Toy("Shrinks", [](Node node) -> std::optional<Node> { return ReduceSum(node.operand(0)); });
constinit const OpDef kTwice =
    Toy("Twice", [](Node node) -> std::optional<Node> { return Exp(node.operand(0)) + node.operand(0); });
constinit const OpDef kDropped = Toy("Dropped", [](Node node) -> std::optional<Node> { return node.operand(0); });

TEST(Simplify, GivesTheNameToWhatARuleMade) {
  Graph graph;
  const Scope scope(graph, "Simplify");  // the pass needs another scope for its own names
  const Node x = Placeholder(graph, "X", {3});
  const Node y = Named("Y", graph.Add(kTwice, {x}));
  CompileGraph simple = After(Simplify, Bound(graph, {y}));
  EXPECT_EQ(&Fetch(simple).op(), &kAdd);
  EXPECT_EQ(Fetch(simple).name(), Path("Simplify/Y"));
  EXPECT_EQ(Fetch(simple).operand(0).name(), Path("Simplify_1/Exp"));
  EXPECT_EQ(simple.graph.size(), 3u);
}

TEST(Simplify, RefusesRulesThatAreWrong) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {3});
  EXPECT_NE(Thrown([&] { Simplify(Bound(graph, {graph.Add(kPing, {x})})); }).find("no end"), std::string::npos);
  const std::string message = Thrown([&] { Simplify(Bound(graph, {graph.Add(kShrinks, {x})})); });
  EXPECT_NE(message.find("Shrinks 'Shrinks': got f32[], expected f32[3]"), std::string::npos) << message;
}

TEST(Simplify, NeverBringsAProbabilityWhereLogitsAreRead) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {3});
  const Node plain = graph.Add(kDropped, {Sigmoid(x)});
  const Node loss = SigmoidCrossEntropy({.logits = plain, .target = x});
  CompileGraph simple;
  EXPECT_NO_THROW(simple = Simplify(Bound(graph, {loss})));
  EXPECT_EQ(CountOf(simple.graph, kDropped), 1u);
}

// ---- All together --------------------------------------------------------------------------------------------------

// A graph with repeated parts, constants, broadcasts, identities and gradients, of the same bits for the same seed.
struct Random {
  explicit Random(uint64_t seed) : engine(seed) {}
  size_t Below(size_t n) { return static_cast<size_t>(engine() % n); }
  std::mt19937_64 engine;
};

std::vector<Node> RandomGraph(Graph& graph, uint64_t seed) {
  Random random(seed);
  const PlaceholderOptions f64 = {.dtype = DType::kFloat64};
  std::vector<Node> nodes = {Placeholder(graph, "X", {kBatch, 3}, f64), Placeholder(graph, "W", {3}, f64),
                             Placeholder(graph, "S", {}, f64), Constant(graph, 0.5, DType::kFloat64),
                             Constant(graph, 1.0, DType::kFloat64)};
  const size_t count = 3 + random.Below(30);
  for (size_t i = 0; i < count; ++i) {
    const Node a = nodes[random.Below(nodes.size())], b = nodes[random.Below(nodes.size())];
    switch (random.Below(10)) {
      case 0: nodes.push_back(a + b); break;
      case 1: nodes.push_back(a * b); break;
      case 2: nodes.push_back(Sigmoid(a)); break;
      case 3: nodes.push_back(StopGradient(a)); break;
      case 4: nodes.push_back(ByMode(a, Tanh(a))); break;
      case 5: nodes.push_back(a * 1.0); break;
      case 6: nodes.push_back(Negate(Negate(a))); break;
      case 7: nodes.push_back(a - Constant(graph, 0.25, DType::kFloat64)); break;
      case 8: nodes.push_back(a / ElementCount(a, {})); break;
      default: nodes.push_back(Softplus(b)); break;
    }
    if (random.Below(4) == 0) nodes.back() = Named("Stated" + std::to_string(i), nodes.back());
  }
  const Node target = ReduceSum(nodes.back() + nodes[nodes.size() / 2]);
  std::vector<Node> fetches = Gradients(target, {nodes[0], nodes[1], nodes[2]}, {.unconnected = Unconnected::kZero});
  fetches.push_back(target);
  return fetches;
}

class PassesOnRandomGraphs : public testing::TestWithParam<Mode> {};

TEST_P(PassesOnRandomGraphs, KeepTheBits) {
  const Tensor x = Tensor::Of<double>({2, 3}, {0.1, -0.2, 0.3, 1.5, -2.5, 0.7}),
               w = Tensor::Of<double>({3}, {0.3, -1.1, 2}), s = Tensor::Scalar(0.75);
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Graph graph;
    const std::vector<Node> fetches = RandomGraph(graph, seed);
    const auto feeds_of = [&](Graph& of) {
      std::map<NodeId, Tensor> feeds;
      for (const auto& [name, value] : {std::pair<const char*, Tensor>{"X", x}, {"W", w}, {"S", s}}) {
        if (const NodeId id = of.FindId(name); id != kNoNode) feeds.emplace(id, value);
      }
      return feeds;
    };
    const std::vector<Tensor> expected = InterpretReference(graph, fetches, feeds_of(graph), {.mode = GetParam()});
    std::vector<NodeId> ids;
    for (const Node& fetch : fetches) ids.push_back(fetch.id());
    CompileGraph state = Bind(graph, ids, {}, 2, GetParam());
    const auto check = [&](std::string_view pass) {
      std::vector<Node> nodes;
      for (NodeId fetch : state.fetches) nodes.push_back(state.graph.node(fetch));
      const std::vector<Tensor> values = InterpretReference(state.graph, nodes, feeds_of(state.graph));
      for (size_t i = 0; i < values.size(); ++i)
        EXPECT_EQ(values[i], expected[i]) << pass << ", seed " << seed << ", fetch " << i;
      for (const Node& fetch : fetches)
        EXPECT_NE(state.graph.FindId(fetch.name()), kNoNode) << pass << ", seed " << seed << ", " << fetch.name().str();
    };
    check("Bind");
    for (const auto& [name, pass] : kPasses) {
      if (name == "Fold") continue;  // runs kernels, whose exp is not the formula's
      state = After(pass, state);
      check(name);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, PassesOnRandomGraphs, testing::Values(Mode::kTraining, Mode::kInference));

TEST(Passes, TakeAChainOfAMillionNodes) {
  Graph graph;
  Node y = Placeholder(graph, "X", {});
  for (int i = 0; i < 1'000'000; ++i) y = Exp(y);
  const NodeId id = y.id();
  CompileGraph state = Bind(graph, std::span(&id, 1), {}, -1, Mode::kInference);
  for (const auto& [name, pass] : kPasses) {
    state = pass(std::move(state));
    EXPECT_EQ(state.graph.size(), graph.size()) << name;
  }
}

}  // namespace
}  // namespace weft
