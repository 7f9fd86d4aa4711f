// Graph: appending, names, scopes, updates, collections.
#include "weft/graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "weft/graph/error.h"
#include "weft/graph/op.h"
#include "weft/graph/scope.h"
#include "weft/graph/verify.h"
#include "weft/tests/support/thrown.h"
#include "weft/tests/support/toy_ops.h"

namespace weft {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::vector<std::string> NamesOf(const Graph& graph) {
  std::vector<std::string> names;
  for (uint32_t i = 0; i < graph.size(); ++i) names.push_back(graph.name(NodeId{i}).str());
  return names;
}

TEST(Graph, KeepsWhatItIsGiven) {
  Graph graph;
  const Node x = ToyInput(graph, "X", {kBatch, 3});
  const Node y = graph.Add(kToyBinary, {x, x}, {{"slope", 0.5}});
  EXPECT_EQ(graph.size(), 2u);
  EXPECT_EQ(y.id(), NodeId{1});
  EXPECT_EQ(&y.op(), &kToyBinary);
  EXPECT_EQ(y.type(), (TensorType{.dtype = DType::kFloat32, .shape = {kBatch, 3}}));
  EXPECT_EQ(y.name(), Path("Binary"));
  EXPECT_EQ(y.attributes(), (Attributes{{"slope", 0.5}}));
  EXPECT_THAT(y.operands(), ElementsAre(x.id(), x.id()));
  EXPECT_EQ(y.operand(1), x);
  EXPECT_THAT(graph.uses(x.id()), ElementsAre(Edge{x.id(), y.id(), 0}, Edge{x.id(), y.id(), 1}));
  EXPECT_THAT(graph.uses(y.id()), IsEmpty());
}

TEST(Graph, TypesAndNamesStayWhereTheyAreWhileItGrows) {
  Graph graph;
  const Node x = ToyInput(graph, "X", {kBatch, 3});
  const TensorType& type = x.type();
  const Path& name = x.name();
  for (int i = 0; i < 1000; ++i) ToyBinary(x, x);
  EXPECT_EQ(&type, &x.type());
  EXPECT_EQ(&name, &x.name());
}

TEST(Graph, RefusesAWrongNumberOfOperands) {
  Graph graph;
  const Node x = ToyInput(graph, "X");
  EXPECT_THAT(Thrown([&] { graph.Add(kToyBinary, {x}); }),
              AllOf(HasSubstr("Binary 'Binary': got 1 operands, expected 2"), HasSubstr("operand 0  'X'  f32[]")));
  EXPECT_THAT(Thrown([&] { graph.Add(kToyInput, {x}); }), HasSubstr("got 1 operands, expected 0"));
  EXPECT_EQ(graph.Add(kToyConcat, {x, x, x}).operands().size(), 3u);
}

TEST(Graph, RefusalsNameOpNodeAndOperands) {
  Graph graph;
  const Node x = ToyInput(graph, "X", {2}), y = ToyInput(graph, "Y", {3});
  const Scope scope(graph, "Encoder");
  EXPECT_THAT(Thrown([&] { ToyBinary(x, y); }),
              AllOf(HasSubstr("Binary 'Encoder/Binary': operands of different shapes"),
                    HasSubstr("operand 0  'X'  f32[2]"), HasSubstr("operand 1  'Y'  f32[3]")));
}

TEST(Graph, ARefusedNodeLeavesNoTrace) {
  Graph graph;
  const Node x = ToyInput(graph, "X", {2}), y = ToyInput(graph, "Y", {3});
  EXPECT_THROW(ToyBinary(x, y), GraphError);
  EXPECT_THROW(graph.AddNamed("B", kToyBinary, {x, y}), GraphError);
  EXPECT_EQ(graph.size(), 2u);
  EXPECT_THAT(graph.uses(x.id()), IsEmpty());
  EXPECT_EQ(graph.FindId("Binary"), kNoNode);
  EXPECT_EQ(ToyBinary(x, x).name(), Path("Binary"));
  EXPECT_EQ(graph.AddNamed("B", kToyUnary, {x}).name(), Path("B"));
}

TEST(Graph, RefusesNodesOfAnotherGraph) {
  Graph graph, other;
  const Node x = ToyInput(graph, "X"), stranger = ToyInput(other, "X");
  const Node beyond(graph, NodeId{7});
  for (const Node& node : {stranger, beyond, Node(graph, kNoNode)}) {
    EXPECT_THAT(Thrown([&] { graph.Add(kToyBinary, {x, node}); }), HasSubstr("node of another graph"));
    EXPECT_THAT(Thrown([&] { graph.Rename(node, "Y"); }), HasSubstr("node of another graph"));
    EXPECT_THAT(Thrown([&] { graph.SetKind(node, ValueKind::kLogits); }), HasSubstr("node of another graph"));
    EXPECT_THAT(Thrown([&] { graph.AddUpdate(node, x); }), HasSubstr("node of another graph"));
    EXPECT_THAT(Thrown([&] { graph.AddToCollection("key", node); }), HasSubstr("node of another graph"));
  }
}

TEST(Graph, StaysValidWhenItIsMoved) {
  Graph graph;
  ToyChain(graph, 3);
  Graph moved = std::move(graph);
  EXPECT_EQ(moved.size(), 3u);
  EXPECT_EQ(ToyUnary(moved.Find("Unary_1")).name(), Path("Unary_2"));
}

// ---- Names ---------------------------------------------------------------------------------------------------------

TEST(Names, AutomaticOnesCountWithinTheirScope) {
  Graph graph;
  const Node x = ToyInput(graph, "X");
  ToyUnary(x);
  ToyUnary(x);
  {
    const Scope scope(graph, "Encoder");
    ToyUnary(x);
    ToyBinary(x, x);
  }
  ToyUnary(x);
  {
    const Scope again(graph, "Encoder");
    ToyUnary(x);
  }
  EXPECT_THAT(NamesOf(graph),
              ElementsAre("X", "Unary", "Unary_1", "Encoder/Unary", "Encoder/Binary", "Unary_2", "Encoder/Unary_1"));
}

TEST(Names, AutomaticOnesGoAroundStatedOnes) {
  Graph graph;
  const Node x = ToyInput(graph, "Unary");
  ToyInput(graph, "Unary_2");
  EXPECT_EQ(ToyUnary(x).name(), Path("Unary_1"));
  EXPECT_EQ(ToyUnary(x).name(), Path("Unary_3"));
}

TEST(Names, StatedOnesAreNeverAltered) {
  Graph graph;
  const Node x = ToyInput(graph, "X");
  EXPECT_THAT(Thrown([&] { ToyInput(graph, "X"); }), HasSubstr("name 'X': taken by a Placeholder already"));
  EXPECT_THAT(Thrown([&] { Named("X", ToyUnary(x)); }), HasSubstr("name 'X': taken by a Placeholder already"));
  const Scope scope(graph, "Encoder");
  EXPECT_EQ(ToyInput(graph, "X").name(), Path("Encoder/X"));
}

TEST(Names, NamedReplacesAnAutomaticName) {
  Graph graph;
  const Node x = ToyInput(graph, "X");
  const Scope scope(graph, "Encoder");
  const Node h = Named("H", ToyUnary(x));
  EXPECT_EQ(h.name(), Path("Encoder/H"));
  EXPECT_TRUE(graph.has_stated_name(h.id()));
  EXPECT_EQ(graph.FindId("Encoder/Unary"), kNoNode) << "the automatic name is gone";
  EXPECT_THAT(graph.aliases(), IsEmpty());
  EXPECT_EQ(ToyUnary(x).name(), Path("Encoder/Unary_1")) << "the counter goes on";
}

TEST(Names, ASecondStatedNameIsAnAlias) {
  Graph graph;
  const Node x = ToyInput(graph, "X");
  Named("Y", x);
  EXPECT_EQ(x.name(), Path("X"));
  EXPECT_THAT(graph.aliases(), ElementsAre(Pair("Y", x.id())));
  EXPECT_EQ(graph.Find("Y"), x);
  EXPECT_EQ(graph.Find("X"), x);
  Named("Y", x);
  Named("X", x);
  EXPECT_EQ(graph.aliases().size(), 1u) << "its own names change nothing";
  EXPECT_THAT(Thrown([&] { ToyInput(graph, "Y"); }), HasSubstr("name 'Y': taken"));
}

TEST(Names, AnAutomaticNameMayBeStatedAsItIs) {
  Graph graph;
  const Node y = ToyUnary(ToyInput(graph, "X"));
  graph.Rename(y, "Unary");
  EXPECT_EQ(y.name(), Path("Unary"));
  EXPECT_TRUE(graph.has_stated_name(y.id()));
  graph.Rename(y, "Y");
  EXPECT_EQ(y.name(), Path("Unary"));
  EXPECT_EQ(graph.Find("Y"), y);
}

TEST(Names, ANodeAndItsScopeMayShareAName) {
  Graph graph;
  const Node w = ToyVariable(graph, "Encoder/Mean/W");
  const Scope scope(graph, "Encoder");
  EXPECT_EQ(Named("Mean", ToyUnary(w)).name(), Path("Encoder/Mean"));
}

TEST(Names, MoveToAnotherNode) {
  Graph graph;
  const Node x = ToyInput(graph, "X");
  const Node old = Named("Y", ToyUnary(x)), fresh = ToyUnary(x), stated = Named("Z", ToyUnary(x));
  graph.MoveName(old, fresh);
  EXPECT_EQ(graph.Find("Y"), fresh);
  EXPECT_EQ(fresh.name(), Path("Y"));
  EXPECT_TRUE(old.name().is_root());
  graph.Rename(old, "Old");
  EXPECT_EQ(graph.Find("Old"), old);
  graph.MoveName(fresh, stated);
  graph.Rename(fresh, "Fresh");
  EXPECT_EQ(stated.name(), Path("Z"));
  EXPECT_EQ(graph.Find("Y"), stated);
  Verify(graph);
}

TEST(Graph, RetainsTheNodesThatAreKept) {
  Graph graph;
  const Node x = ToyInput(graph, "X");
  const Node dead = Named("Dead", ToyUnary(x)), y = Named("Y", ToyUnary(x));
  ToyUnary(dead);
  graph.Rename(y, "Other");
  graph.Rename(dead, "Grave");
  const NodeId order[] = {x.id(), y.id()};
  const std::vector<NodeId> now = graph.Retain(order);
  EXPECT_EQ(now, (std::vector<NodeId>{NodeId{0}, kNoNode, NodeId{1}, kNoNode}));
  EXPECT_EQ(graph.size(), 2u);
  EXPECT_EQ(graph.FindId("Y"), NodeId{1});
  EXPECT_EQ(graph.FindId("Other"), NodeId{1});
  EXPECT_EQ(graph.FindId("Dead"), kNoNode);
  EXPECT_EQ(graph.FindId("Grave"), kNoNode);
  EXPECT_EQ(graph.uses(NodeId{0}).size(), 1u);
  Verify(graph);
}

TEST(Graph, APartIsACopyInAnyOrder) {
  Graph graph;
  const Node x = ToyInput(graph, "X"), y = ToyInput(graph, "Y");
  const Node sum = ToyBinary(x, y), above = ToyBinary(sum, y);
  graph.Rename(y, "Other");
  ToyUnary(x);
  const NodeId order[] = {y.id(), x.id(), sum.id()};
  const Graph part = graph.Part(order);
  Verify(part);
  EXPECT_THAT(NamesOf(part), ElementsAre("Y", "X", "Binary"));
  EXPECT_THAT(part.operands(NodeId{2}), ElementsAre(NodeId{1}, NodeId{0}));
  EXPECT_EQ(part.FindId("Other"), NodeId{0});
  EXPECT_TRUE(part.has_stated_name(NodeId{2}));
  const NodeId one[] = {above.id()};
  EXPECT_THAT(graph.Part(one).operands(NodeId{0}), ElementsAre(kNoNode, kNoNode));
  EXPECT_EQ(graph.size(), 5u);
  Verify(graph);
}

TEST(Names, RefusesWhatIsNoName) {
  Graph graph;
  const Node x = ToyInput(graph, "X");
  for (const char* name : {"", "/A", "A/", "A//B", "A\n"}) {
    EXPECT_THROW(ToyInput(graph, name), GraphError) << name;
    EXPECT_THROW(Named(name, x), GraphError) << name;
    EXPECT_THROW(Scope(graph, name), GraphError) << name;
  }
  EXPECT_THAT(Thrown([&] { graph.Rename(x, Path()); }), HasSubstr("got the root, expected a name"));
  EXPECT_EQ(graph.size(), 1u);
  EXPECT_TRUE(graph.scope().is_root());
}

TEST(Names, FindSuggestsTheNearestSpelling) {
  Graph graph;
  const Node x = ToyInput(graph, "Encoder/LogVariance");
  graph.Rename(x, "Encoder/Other");
  EXPECT_THAT(Thrown([&] { graph.Find("Encoder/Logvariance"); }),
              HasSubstr("No node 'Encoder/Logvariance'. Did you mean 'Encoder/LogVariance'?"));
  EXPECT_THAT(Thrown([&] { graph.Find("Encoder/Othr"); }), HasSubstr("Did you mean 'Encoder/Other'?"));
  EXPECT_EQ(Thrown([&] { graph.Find("Completely/Different"); }), "No node 'Completely/Different'");
  EXPECT_EQ(graph.FindId("Completely/Different"), kNoNode);
  EXPECT_EQ(graph.FindId(Path()), kNoNode);
}

TEST(Names, UniqueNameReservesAScope) {
  Graph graph;
  const Node x = ToyInput(graph, "Layer_1");
  EXPECT_EQ(graph.UniqueName("Layer"), Path("Layer"));
  EXPECT_EQ(graph.UniqueName("Layer"), Path("Layer_2"));
  const Scope scope(graph, "Encoder");
  EXPECT_EQ(graph.UniqueName("Layer"), Path("Encoder/Layer"));
  EXPECT_EQ(graph.UniqueName("Unary"), Path("Encoder/Unary"));
  EXPECT_EQ(ToyUnary(x).name(), Path("Encoder/Unary_1"));
}

// ---- Scopes --------------------------------------------------------------------------------------------------------

TEST(Scopes, NestAndEnd) {
  Graph graph;
  {
    const Scope outer(graph, "Encoder");
    {
      const Scope inner(graph, "Mean/Deep");
      EXPECT_EQ(graph.scope(), Path("Encoder/Mean/Deep"));
      const Scope absolute = Scope::Absolute(graph, "Loss");
      EXPECT_EQ(graph.scope(), Path("Loss"));
    }
    EXPECT_EQ(graph.scope(), Path("Encoder"));
    const Scope root = Scope::Absolute(graph, {});
    EXPECT_TRUE(graph.scope().is_root());
  }
  EXPECT_TRUE(graph.scope().is_root());
}

TEST(Scopes, EndWithAnException) {
  Graph graph;
  EXPECT_THROW(
      {
        const Scope scope(graph, "Encoder");
        graph.Find("X");
      },
      GraphError);
  EXPECT_TRUE(graph.scope().is_root());
}

// ---- Kinds, updates, initial values, collections -------------------------------------------------------------------

TEST(Graph, SetKindSaysWhatNumbersMean) {
  Graph graph;
  const Node x = ToyInput(graph, "X");
  graph.SetKind(x, ValueKind::kLogits);
  EXPECT_EQ(x.type().kind, ValueKind::kLogits);
}

TEST(Pairs, BelongToVariablesOfTheSameType) {
  struct Door {
    void (Graph::*add)(Node, Node);
    std::span<const Graph::Pair> (Graph::*list)() const;
    std::string what;
  };
  const Door doors[] = {{&Graph::AddUpdate, &Graph::updates, "update"},
                        {&Graph::AddInitialValue, &Graph::initial_values, "initial value"}};
  for (const Door& door : doors) {
    Graph graph;
    const Node v = ToyVariable(graph, "V", {2}), w = ToyVariable(graph, "W", {2}), x = ToyInput(graph, "X", {2});
    const Node wide = ToyInput(graph, "Wide", {3}), precise = ToyInput(graph, "Precise", {2}, DType::kFloat64);
    const auto refusal = [&](Node variable, Node value) { return Thrown([&] { (graph.*door.add)(variable, value); }); };
    EXPECT_EQ(refusal(x, v), door.what + " of 'X': got a Placeholder, expected a variable");
    EXPECT_EQ(refusal(v, wide), door.what + " of 'V': got 'Wide' f32[3], expected f32[2]");
    EXPECT_EQ(refusal(v, precise), door.what + " of 'V': got 'Precise' f64[2], expected f32[2]");
    graph.SetKind(x, ValueKind::kMask);
    (graph.*door.add)(v, x);
    (graph.*door.add)(w, w);
    EXPECT_EQ(refusal(v, w), door.what + " of 'V': it has one already");
    EXPECT_THAT((graph.*door.list)(), ElementsAre(Pair(v.id(), x.id()), Pair(w.id(), w.id())));
  }
}

TEST(Collections, KeepTheirOrder) {
  Graph graph;
  const Node x = ToyInput(graph, "X"), y = ToyUnary(x);
  graph.AddToCollection("layer_tensor/Encoder", y);
  graph.AddToCollection("layer_tensor/Encoder", x);
  graph.AddToCollection("layer_tensor/Encoder", y);
  graph.AddToCollection("inputs", x);
  EXPECT_THAT(graph.collections(), ElementsAre(Pair("inputs", ElementsAre(x.id())),
                                               Pair("layer_tensor/Encoder", ElementsAre(y.id(), x.id(), y.id()))));
}

}  // namespace
}  // namespace weft
