// What is left of a graph when a part of it is taken for inference.
#include "weft/exporters/inference_part.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weft/graph/scope.h"
#include "weft/graph/verify.h"
#include "weft/graph/views/text.h"
#include "weft/models/variational_autoencoder.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

bool Holds(const Graph& graph, const OpDef& op) {
  for (uint32_t i = 0; i < graph.size(); ++i) {
    if (&graph.op(NodeId{i}) == &op) return true;
  }
  return false;
}

TEST(InferencePart, OfTheDecoderIsLegalAndKeepsNamesAndTheBatchSize) {
  Graph graph;
  const VariationalAutoencoder vae = BuildVariationalAutoencoder(graph, {.pixels = 9, .hidden_units = 4});
  const InferencePart part = InferencePartOf(graph, {vae.encoder.sample}, {vae.decoder.mean});
  EXPECT_NO_THROW(Verify(part.graph));
  const NodeId z = part.inputs[0], mean = part.outputs[0];
  EXPECT_EQ(&part.graph.op(z), &kPlaceholder);
  EXPECT_EQ(part.graph.name(z).str(), "Encoder/SampleLatentVariable");
  EXPECT_EQ(ToString(part.graph.type(z)), "f32[N, 2]");
  EXPECT_EQ(part.graph.name(mean).str(), "Decoder/Mean");
  EXPECT_EQ(ToString(part.graph.type(mean)), "f32[N, 9] probability");
  EXPECT_FALSE(Holds(part.graph, kByMode));
  for (uint32_t i = 0; i < part.graph.size(); ++i) {
    const Path& name = part.graph.name(NodeId{i});
    EXPECT_TRUE(name.IsWithin("Decoder") || NodeId{i} == z) << name.str();
  }
}

TEST(InferencePart, TakesTheOperandForInference) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 3});
  const Node y = Named("Y", StopGradient(ByMode(Exp(x), Square(x))) + 1);
  const InferencePart part = InferencePartOf(graph, {x}, {y});
  EXPECT_TRUE(Holds(part.graph, kSquare));
  EXPECT_FALSE(Holds(part.graph, kExp) || Holds(part.graph, kByMode) || Holds(part.graph, kStopGradient));
}

TEST(InferencePart, KeepsTheNameOfAnOutputThatIsOneOfItsOperands) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 3});
  const Node y = Named("Y", ByMode(Exp(x), Square(x)));
  const InferencePart part = InferencePartOf(graph, {x}, {y});
  EXPECT_EQ(part.graph.name(part.outputs[0]).str(), "Y");
  EXPECT_EQ(&part.graph.op(part.graph.operands(part.outputs[0])[0]), &kSquare);
}

TEST(InferencePart, ReadsTheDefaultOfAPlaceholderThatIsNoInput) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 3});
  const Node weight = Placeholder(graph, "Weight", {kBatch, 3}, {.default_value = 0.25});
  const Node y = x * weight;
  const InferencePart part = InferencePartOf(graph, {x}, {y});
  const NodeId constant = part.graph.operands(part.graph.FindId("Weight"))[0];
  EXPECT_EQ(*part.graph.attributes(constant).Get<std::shared_ptr<const Tensor>>("value"), Tensor::Scalar(0.25f));
}

TEST(InferencePart, RefusesAPlaceholderThatIsNoInput) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 3}), y = x + Placeholder(graph, "Shift", {3});
  EXPECT_THAT(Thrown<ExportError>([&] { InferencePartOf(graph, {x}, {y}); }), HasSubstr("'Shift'"));
}

TEST(InferencePart, RefusesANodeThatIsNotInTheGraph) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 3});
  const NodeId none{7}, inputs[] = {x.id()};
  EXPECT_THROW(InferencePartOf(graph, inputs, {&none, 1}), GraphError);
}

TEST(InferencePart, HasEachInputAndOutputOnce) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {2}), idle = Placeholder(graph, "Idle", {2}), y = Exp(x), z = Tanh(x);
  const InferencePart part = InferencePartOf(graph, {x, idle, x}, {z, y, z});
  const auto names_of = [&](const std::vector<NodeId>& ids) {
    std::vector<std::string> names;
    for (NodeId id : ids) names.push_back(part.graph.name(id).str());
    return names;
  };
  EXPECT_THAT(names_of(part.inputs), ElementsAre("X", "Idle"));
  EXPECT_THAT(names_of(part.outputs), ElementsAre("Tanh", "Exp"));
}

TEST(InferencePart, DoesNotDependOnTheOrderOfBuilding) {
  const auto text = [](bool left_first) {
    Graph graph;
    const Node x = Placeholder(graph, "X", {kBatch, 3});
    const auto left = [&] { return Named("Left", Exp(x)); };
    const auto right = [&] { return Named("Right", Tanh(x)); };
    std::vector<Node> parts;
    if (left_first) parts = {left(), right()};
    else parts = {right(), left()};
    const Node y = Named("Y", left_first ? parts[0] + parts[1] : parts[1] + parts[0]);
    return ToText(InferencePartOf(graph, {x}, {y}).graph);
  };
  EXPECT_EQ(text(true), text(false));
}

}  // namespace
}  // namespace weft
