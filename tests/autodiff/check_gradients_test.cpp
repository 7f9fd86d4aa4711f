// CheckGradients accepts what is right, finds what was planted, and leaves everything as it was.
#include "weft/autodiff/check/check_gradients.h"

#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "weft/autodiff/gradients.h"
#include "weft/graph/algorithms.h"
#include "weft/graph/error.h"
#include "weft/graph/op.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/operators.h"
#include "weft/tests/support/random_graph.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

const SessionOptions kOneThread = {.threads = 1};

// An op that is right in everything but its gradient.
OpDef WithGradient(const OpDef& op, GradientRule gradient) {
  OpDef result = op;
  result.gradient = gradient;
  return result;
}

struct Planted {
  const char* name;
  const OpDef* like;
  GradientRule gradient;
};

void PrintTo(const Planted& planted, std::ostream* out) { *out << planted.name; }

const Planted kPlanted[] = {
    {"Sign", &kExp,
     [](const GradientContext& c) -> Contributions { return {Negate(c.output_gradient() * c.output())}; }},
    {"Factor", &kExp,
     [](const GradientContext& c) -> Contributions { return {c.output_gradient() * c.output() * (1 + 1e-5)}; }},
    {"MissingFactor", &kExp, [](const GradientContext& c) -> Contributions { return {c.output_gradient()}; }},
    {"MissingTerm", &kTanh,
     [](const GradientContext& c) -> Contributions { return {Negate(c.output_gradient() * Square(c.output()))}; }},
    {"Nothing", &kExp, [](const GradientContext&) -> Contributions { return {std::nullopt}; }},
    {"NotFinite", &kExp,
     [](const GradientContext& c) -> Contributions { return {c.output_gradient() / (c.output() - c.output())}; }},
};

class PlantedGradient : public testing::TestWithParam<Planted> {};

TEST_P(PlantedGradient, IsFoundByElementAndByDirection) {
  const OpDef wrong = WithGradient(*GetParam().like, GetParam().gradient);
  for (int64_t max_elements : {64, 0}) {
    Graph graph;
    const Node x = Placeholder(graph, "X", {2, 3}, {.dtype = DType::kFloat64});
    const Node y = ReduceSum(graph.Add(wrong, {x * 0.5}) * x);
    VariableStore store(graph);
    const Tensor value = Tensor::Of<double>({2, 3}, {0.5, -0.25, 1, 1.5, -1, 2});
    const GradientReport report =
        CheckGradients(y, {x}, store, {.feeds = {{x, value}}, .max_elements = max_elements, .session = kOneThread});
    EXPECT_FALSE(report.ok()) << ToString(report);
    ASSERT_FALSE(report.mismatches.empty());
    EXPECT_EQ(report.mismatches[0].variable, Path("X"));
    EXPECT_EQ(report.mismatches[0].element, max_elements == 0 ? -1 : 0);
    EXPECT_NE(ToString(report).find(max_elements == 0 ? "'X', along a direction" : "'X', element 0"), std::string::npos)
        << ToString(report);
  }
}

INSTANTIATE_TEST_SUITE_P(Rules, PlantedGradient, testing::ValuesIn(kPlanted),
                         [](const auto& instance) { return instance.param.name; });

// A small network: all kinds of variables, N, modes, broadcasts.
struct Network {
  Graph graph;
  Node x = Placeholder(graph, "X", {kBatch, 3}, {.dtype = DType::kFloat64});
  Node w = Variable("W", Constant(graph, Tensor::Of<double>({3}, {0.5, -0.3, 0.8})));
  Node b = Variable("B", Constant(graph, -0.1, DType::kFloat64));
  Node h = ByMode(Sigmoid(x * w + b), Softplus(x* w + b));
  Node loss = ReduceMean(Square(ReduceSum(h, kLastAxis)));
  VariableStore store{graph};
  Tensor value = Tensor::Of<double>({2, 3}, {1, -0.5, 0.25, 2, 0.75, -1.25});

  Network() { Initialize(graph, store); }
  GradientReport Check(std::initializer_list<Node> variables, CheckOptions options = {}) {
    options.feeds.push_back({x, value});
    options.session = kOneThread;
    return CheckGradients(loss, variables, store, options);
  }
};

TEST(CheckGradients, AcceptsWhatIsRight) {
  for (Mode mode : {Mode::kTraining, Mode::kInference}) {
    Network n;
    const GradientReport report = n.Check({n.w, n.b, n.x}, {.mode = mode});
    EXPECT_TRUE(report.ok()) << ToString(report);
    EXPECT_EQ(report.slopes, 3u + 1u + 6u + 8u);  // elements, and directions through all
    EXPECT_EQ(report.unsettled, 0u);
    EXPECT_LT(report.worst, 1e-9);
  }
}

TEST(CheckGradients, AcceptsLargeTensorsAlongDirections) {
  Network n;
  const GradientReport report = n.Check({n.w, n.x}, {.max_elements = 2, .directions = 5});
  EXPECT_TRUE(report.ok()) << ToString(report);
  EXPECT_EQ(report.slopes, 3u * 5u);  // through each, and through both
}

TEST(CheckGradients, AcceptsSecondDerivatives) {
  Network n;
  n.loss = ReduceSum(Square(Gradients(n.loss, {n.w})[0]));
  const GradientReport report = n.Check({n.w, n.b, n.x});
  EXPECT_TRUE(report.ok()) << ToString(report);
}

TEST(CheckGradients, LeavesTheStoreAndTheFeedsAsTheyWere) {
  Network n;
  const Tensor w = n.store.Get("W"), b = n.store.Get("B"), value = n.value;
  n.Check({n.w, n.b, n.x});
  EXPECT_EQ(n.store.Get("W"), w);
  EXPECT_EQ(n.store.Get("B"), b);
  EXPECT_EQ(n.value, value);
}

TEST(CheckGradients, MovesAnyNodeThatIsFed) {
  Graph graph;
  const Node noise = RandomNormal(graph, "Noise", {4}, DType::kFloat64),
             w = Variable("W", Constant(graph, 2.0, DType::kFloat64));
  const Node y = ReduceSum(Square(noise * w));
  VariableStore store(graph);
  Initialize(graph, store);
  const Tensor value = Tensor::Of<double>({4}, {1, 2, 3, 4});
  const GradientReport fed = CheckGradients(y, {w, noise}, store, {.feeds = {{noise, value}}, .session = kOneThread});
  EXPECT_TRUE(fed.ok()) << ToString(fed);
  const GradientReport drawn = CheckGradients(y, {w}, store, {.session = kOneThread});  // the same numbers in every run
  EXPECT_TRUE(drawn.ok()) << ToString(drawn);
}

TEST(CheckGradients, AcceptsAVariableThatTheTargetForgets) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {2}, {.dtype = DType::kFloat64});
  const Node y = ReduceSum(StopGradient(Constant(graph, Tensor::Of<double>({2}, {1, 2})))) +
                 ReduceSum(Select(Constant(graph, 0.0, DType::kFloat64), x, x * 0.0));
  VariableStore store(graph);
  const Tensor value = Tensor::Of<double>({2}, {3, 4});
  EXPECT_TRUE(CheckGradients(y, {x}, store, {.feeds = {{x, value}}, .session = kOneThread}).ok());
}

TEST(CheckGradients, StepsOverAKinkNearby) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {3}, {.dtype = DType::kFloat64});
  const Node y = ReduceSum(Relu(x) + x);
  VariableStore store(graph);
  const Tensor value = Tensor::Of<double>({3}, {1e-5, -3e-5, 1});
  const GradientReport report = CheckGradients(y, {x}, store, {.feeds = {{x, value}}, .session = kOneThread});
  EXPECT_TRUE(report.ok()) << ToString(report);
}

TEST(CheckGradients, CountsWhatDoesNotSettle) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {}, {.dtype = DType::kFloat64});
  VariableStore store(graph);
  const Tensor value = Tensor::Scalar(0.0);
  const GradientReport report = CheckGradients(Greater(x, x * 0.0) + x * 0.0, {x}, store,
                                               {.feeds = {{x, value}}, .session = kOneThread});  // a jump
  EXPECT_EQ(report.slopes, 0u);
  EXPECT_EQ(report.unsettled, 9u);
  EXPECT_FALSE(report.ok());  // nothing compared is nothing proved
}

// A central difference at a kink is the mean of both slopes, whatever the step, and the gradient is one of them.
TEST(CheckGradients, CountsAKinkAtThePointItself) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {2}, {.dtype = DType::kFloat64});
  VariableStore store(graph);
  const Tensor value = Tensor::Of<double>({2}, {0, 1});
  const GradientReport report =
      CheckGradients(ReduceSum(Relu(x)), {x}, store, {.feeds = {{x, value}}, .session = kOneThread});
  EXPECT_TRUE(report.ok()) << ToString(report);
  EXPECT_EQ(report.slopes, 1u);
  EXPECT_EQ(report.unsettled, 9u);  // the first element, and every direction
}

TEST(CheckGradients, RefusesWhatItCannotMove) {
  Network n;
  const Node f32 = Placeholder(n.graph, "F32", {}),
             other = Placeholder(n.graph, "Other", {}, {.dtype = DType::kFloat64});
  EXPECT_NE(
      Thrown([&] { n.Check({n.h}); }).find("'ByMode': got a ByMode, expected a variable or a node among the feeds"),
      std::string::npos);
  EXPECT_NE(Thrown([&] { n.Check({f32}); }).find("'F32': got f32[], expected f64"), std::string::npos);
  EXPECT_NE(Thrown([&] { n.Check({n.w, n.w}); }).find("'W': is given twice"), std::string::npos);
  n.loss = n.loss + other;
  EXPECT_NE(Thrown([&] { n.Check({n.w}); }).find("'Other': got no value"), std::string::npos);
  n.loss = Cast(f32, DType::kFloat32);
  EXPECT_NE(Thrown([&] { n.Check({n.w}); }).find("expected a scalar of f64"), std::string::npos);
}

TEST(CheckGradients, RefusesAWrongFeedAndWhatIsNotInitialised) {
  Network n;
  n.value = Tensor::Of<double>({6}, {1, 2, 3, 4, 5, 6});
  EXPECT_NE(Thrown([&] { n.Check({n.w}); }).find("'X'"), std::string::npos);
  Network fresh;
  VariableStore empty(fresh.graph);
  EXPECT_NE(Thrown([&] {
              CheckGradients(fresh.loss, {fresh.w}, empty, {.feeds = {{fresh.x, fresh.value}}, .session = kOneThread});
            }).find("'W'"),
            std::string::npos);
}

TEST(CheckGradients, RefusesATargetThatIsNotFinite) {
  Network n;
  n.value.values<double>()[0] = std::numeric_limits<double>::infinity();
  EXPECT_NE(Thrown<NumericError>([&] { n.Check({n.w}); }).find("expected a finite number"), std::string::npos);
}

// Fan-out, repeated operands, unused parts, broadcasts, reductions, products: whatever the random graphs have.
TEST(CheckGradients, AcceptsRandomGraphs) {
  size_t slopes = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    std::mt19937_64 random(seed);
    Graph graph;
    const RandomGraph parts = AddRandomGraph(graph, random, {.nodes = 25, .updates = false});
    Node target = Constant(graph, 0.0, DType::kFloat64);
    for (const Node& fetch : parts.fetches) target = target + ReduceSum(Sigmoid(fetch));
    VariableStore store(graph);
    const NodeId id = target.id();
    const std::vector<bool> needed = Ancestors(graph, std::span(&id, 1));
    std::vector<Node> variables;
    std::vector<Tensor> values;
    for (const Node& placeholder : parts.placeholders)
      values.push_back(RandomTensor(DType::kFloat64, placeholder.shape(), random));
    for (const Node& variable : parts.variables)
      store.Set(variable.name(), RandomTensor(DType::kFloat64, variable.shape(), random));
    CheckOptions options = {.max_elements = 8, .directions = 2, .session = kOneThread};
    for (size_t i = 0; i < values.size(); ++i) options.feeds.push_back({parts.placeholders[i], values[i]});
    for (const auto* nodes : {&parts.placeholders, &parts.variables}) {
      for (const Node& node : *nodes) {
        if (needed[Index(node.id())]) variables.push_back(node);
      }
    }
    if (variables.empty()) continue;
    const GradientReport report = CheckGradients(target, variables, store, options);
    EXPECT_TRUE(report.ok()) << "seed " << seed << ": " << ToString(report);
    slopes += report.slopes;
  }
  EXPECT_GT(slopes, 500u);
}

}  // namespace
}  // namespace weft
