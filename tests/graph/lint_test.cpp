// The lint: each rule finds its mistake, and is silent on graphs that look alike.
#include "weft/graph/lint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "weft/graph/error.h"
#include "weft/graph/scope.h"
#include "weft/models/training/optimizers.h"
#include "weft/models/variational_autoencoder.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> Found(const Graph& graph, const std::vector<Node>& targets = {}) {
  std::vector<std::string> found;
  for (const Finding& finding : Lint(graph, targets)) found.push_back(finding.code + " " + finding.node.str());
  return found;
}

Node Parameter(Graph& graph, std::string_view name, const Shape& shape) {
  return Variable(name, BroadcastTo(Constant(graph, 0.5), shape));
}

TEST(Lint, IsSilentOnNothing) { EXPECT_THAT(Found(Graph()), IsEmpty()); }

TEST(Lint, RefusesTargetsOfAnotherGraph) {
  Graph graph, other;
  const Node x = Placeholder(other, "X", {});
  EXPECT_THAT(Thrown([&] { Lint(graph, std::vector{x}); }), HasSubstr("target 'X' is of another graph"));
}

TEST(Lint, FindingsNameTheNodeAndWhatToDo) {
  Graph graph;
  const Node p = Named("Mean", Sigmoid(Placeholder(graph, "Logits", {kBatch})));
  Named("Picture", Sigmoid(p));
  EXPECT_THAT(Lint(graph, {}),
              ElementsAre(AllOf(Field(&Finding::node, Path("Picture")), Field(&Finding::code, "double-sigmoid"),
                                Field(&Finding::sentence, AllOf(HasSubstr("'Picture' is a sigmoid of 'Mean'"),
                                                                HasSubstr("Use the logits."))))));
}

TEST(LintDoubleSigmoid, SeesThroughLayoutButNotArithmetic) {
  Graph graph;
  const Node p = Sigmoid(Placeholder(graph, "Logits", {2, 3}));
  Named("Reshaped", Sigmoid(Reshape(p, {6})));
  Named("Doubled", Sigmoid(p * 2.0));
  EXPECT_THAT(Found(graph), ElementsAre("double-sigmoid Reshaped"));
}

TEST(LintDoubleSigmoid, KnowsFedProbabilities) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {});
  graph.SetKind(x, ValueKind::kProbability);
  Sigmoid(x);
  EXPECT_THAT(Found(graph), ElementsAre("double-sigmoid Sigmoid"));
}

// ---- Dead biases ---------------------------------------------------------------------------------------------------

struct BiasCase {
  std::string what;
  Shape bias;
  Node (*rest)(Node x);  // what happens to x = y + bias
  bool dead;
};

Node Mean(Node x) { return ReduceMean(x, {0}); }

const BiasCase kBiasCases[] = {
    {"a mean subtracted", {3}, [](Node x) { return x - Mean(x); }, true},
    {"a bias of one row", {1, 3}, [](Node x) { return x - Mean(x); }, true},
    {"a scalar bias", {}, [](Node x) { return x - Mean(x); }, true},
    {"a mean times 1/n", {3}, [](Node x) { return x - ReduceSum(x, {0}) * (1.0 / ElementCount(x, {0})); }, true},
    {"a mean in training only",
     {3},
     [](Node x) { return x - ByMode(Mean(x), Parameter(x.graph(), "Moving", {3})); },
     true},
    {"a mean twice", {3}, [](Node x) { return (x - Mean(x)) * (x - Mean(x)); }, true},
    {"a normalisation", {3}, [](Node x) { return BatchNormalization(x); }, true},
    {"no mean", {3}, [](Node x) { return Relu(x); }, false},
    {"a mean that is not subtracted", {3}, [](Node x) { return Mean(x); }, false},
    {"x used as it is, too", {3}, [](Node x) { return (x - Mean(x)) * x; }, false},
    {"subtracted the other way round", {3}, [](Node x) { return Mean(x) - x; }, false},
    {"a mean of something else", {3}, [](Node x) { return x - Mean(Relu(x)); }, false},
    {"a mean over features",
     {3},
     [](Node x) {
       return x - Reshape(ReduceMean(x, {1}), {4, 1});
     },
     false},
    {"a maximum", {3}, [](Node x) { return x - ReduceMax(x, {0}); }, false},
    {"a bias for each sample", {4, 3}, [](Node x) { return x - Mean(x); }, false},
    {"a bias for each sample and no feature", {4, 1}, [](Node x) { return x - Mean(x); }, false},
};

TEST(LintDeadBias, IsOneThatAMeanOverTheBatchCancels) {
  for (const BiasCase& c : kBiasCases) {
    for (bool bias_first : {false, true}) {
      Graph graph;
      const Node y = Placeholder(graph, "Y", {4, 3}), b = Parameter(graph, "b", c.bias);
      c.rest(bias_first ? b + y : y + b);
      EXPECT_THAT(Found(graph),
                  c.dead ? testing::Matcher<std::vector<std::string>>(ElementsAre("dead-bias b")) : IsEmpty())
          << c.what;
    }
  }
}

TEST(LintDeadBias, IsATrainableVariable) {
  Graph graph;
  const Node y = Placeholder(graph, "Y", {kBatch, 3});
  const Node frozen = Variable("b", BroadcastTo(Constant(graph, 0), {3}), {.trainable = false});
  const Node a = y + frozen, b = y + Placeholder(graph, "Shift", {3});
  Named("A", a - Mean(a));
  Named("B", b - Mean(b));
  EXPECT_THAT(Found(graph), IsEmpty());
}

// ---- Variables, placeholders, targets ------------------------------------------------------------------------------

TEST(LintUnreachableVariable, HasNoInfluenceOnATarget) {
  Graph graph;
  const Node used = Parameter(graph, "Used", {}), stray = Parameter(graph, "Stray", {});
  Square(stray);
  const Node loss = Named("Loss", Square(used));
  EXPECT_THAT(Found(graph, {loss}), ElementsAre("unreachable-variable Stray"));
  EXPECT_THAT(Found(graph), IsEmpty()) << "without targets nobody knows";
  EXPECT_THAT(Found(graph, {loss, Square(stray)}), IsEmpty());
}

TEST(LintUnreachableVariable, IsNoSlotAndNoCounter) {
  Graph graph;
  const Node w = Parameter(graph, "W", {});
  const Node slot = Variable("Slot", Constant(graph, 0), {.trainable = false}),
             step = Variable("Step", Constant(graph, 0), {.trainable = false});
  const Node forgotten = Variable("Forgotten", Constant(graph, 0), {.trainable = false});
  const Node stray = Parameter(graph, "Stray", {});
  const Node loss = Square(w);
  graph.AddUpdate(w, w - slot);
  graph.AddUpdate(slot, slot * 0.9);
  graph.AddUpdate(step, step + 1.0);
  graph.AddUpdate(stray, stray * 0.9);
  EXPECT_THAT(Found(graph, {loss}), ElementsAre("unreachable-variable Forgotten", "unreachable-variable Stray"));
  EXPECT_EQ(forgotten.operands().size(), 0u);
}

TEST(LintUnusedPlaceholder, IsReadByNobody) {
  Graph graph;
  Placeholder(graph, "Unused", {});
  Square(Placeholder(graph, "Used", {}));
  const Node fetched = Placeholder(graph, "Fetched", {});
  EXPECT_THAT(Found(graph, {fetched}), ElementsAre("unused-placeholder Unused"));
}

TEST(LintLossNotScalar, SaysWhatItIs) {
  Graph graph;
  const Node losses = Named("Losses", Square(Placeholder(graph, "X", {kBatch})));
  EXPECT_THAT(Lint(graph, std::vector{losses, ReduceMean(losses)}),
              ElementsAre(AllOf(
                  Field(&Finding::code, "loss-not-scalar"),
                  Field(&Finding::sentence, HasSubstr("'Losses' is f32[N], but what is minimised is one number")))));
}

// ---- Names ---------------------------------------------------------------------------------------------------------

TEST(LintAutomaticName, IsToldOnceALayer) {
  Graph graph;
  for (const char* name :
       {"Encoder/Dense/W", "Encoder/Dense/b", "Encoder/Dense_1/W", "Encoder/Dense_1/b", "Encoder/Dense_2/Inner/W",
        "Dense_1/W", "Layer_1/W", "Layer_2/W", "_1/W", "Encoder/Dense_x/W", "W_1", "Encoder/1/W"}) {
    Parameter(graph, name, {});
  }
  Variable("Dense_2/moving", Constant(graph, 0), {.trainable = false});
  EXPECT_THAT(Found(graph), ElementsAre("automatic-name Encoder/Dense_1", "automatic-name Encoder/Dense_2"));
  EXPECT_THAT(Lint(graph, {})[0].sentence, HasSubstr("'Encoder/Dense_1/W' reaches checkpoints"));
}

// ---- The model -----------------------------------------------------------------------------------------------------

TEST(Lint, OfTheVaeTellsItsNamesAndItsDeadBiases) {
  Graph graph;
  const VariationalAutoencoder vae =
      BuildVariationalAutoencoder(graph, {.pixels = 8, .hidden_units = 4, .hidden_layers = 2});
  const std::vector<std::string> expected = {
      "dead-bias Encoder/FullyConnected/b",      "dead-bias Encoder/FullyConnected_1/b",
      "dead-bias Decoder/FullyConnected/b",      "dead-bias Decoder/FullyConnected_1/b",
      "automatic-name Encoder/FullyConnected_1", "automatic-name Encoder/BatchNormalization_1",
      "automatic-name Decoder/FullyConnected_1", "automatic-name Decoder/BatchNormalization_1"};
  EXPECT_EQ(Found(graph, {vae.loss.total}), expected);
  Minimize(vae.loss.total, Adam{}, {.clip_global_norm = 5});
  EXPECT_EQ(Found(graph, {vae.loss.total}), expected) << "gradients and slots are no news";
}

}  // namespace
}  // namespace weft
