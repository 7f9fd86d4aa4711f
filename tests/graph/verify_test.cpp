// The verifier: accepts what builders make, and names the node of every illegal graph.
#include "weft/graph/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "weft/graph/error.h"
#include "weft/graph/op.h"
#include "weft/tests/support/graph_surgery.h"
#include "weft/tests/support/thrown.h"
#include "weft/tests/support/toy_ops.h"

namespace weft {
namespace {

using testing::HasSubstr;

constexpr NodeId kA{0}, kB{1}, kV{2}, kU{3}, kSum{4}, kTop{5};

// A list of uses, in memory that stays.
std::span<Edge> Listed(std::initializer_list<Edge> edges) {
  static std::deque<std::vector<Edge>> lists;
  return lists.emplace_back(edges);
}

// A, B, V: sources; U = Unary(A); Sum = Binary(U, B); Top = Binary(Sum, Sum); V ← Top.
Graph LegalGraph() {
  Graph graph;
  const Node a = ToyInput(graph, "A", {kBatch, 3}), b = ToyInput(graph, "B", {kBatch, 3}),
             v = ToyVariable(graph, "V", {kBatch, 3});
  const Node u = graph.AddNamed("U", kToyUnary, {a});
  const Node sum = graph.AddNamed("Sum", kToyBinary, {u, b});
  const Node top = graph.AddNamed("Top", kToyBinary, {sum, sum});
  graph.Rename(top, "Alias");
  graph.AddUpdate(v, top);
  graph.AddInitialValue(v, b);
  graph.AddToCollection("key", sum);
  return graph;
}

TEST(Verify, AcceptsWhatBuildersMake) {
  EXPECT_NO_THROW(Verify(Graph()));
  EXPECT_NO_THROW(Verify(LegalGraph()));
}

TEST(Verify, AcceptsStatedKinds) {
  Graph graph = LegalGraph();
  graph.SetKind(graph.node(kSum), ValueKind::kLogits);
  EXPECT_NO_THROW(Verify(graph));
}

TEST(Verify, NamesTheNodeOfEveryIllegalGraph) {
  struct Case {
    std::string what;
    std::function<void(Graph&)> harm;
    std::string sentence;
  };
  const Case cases[] = {
      {"an operand that does not exist", [](Graph& g) { Inside(Nodes{}, g)[4].operands[1] = NodeId{99}; },
       "'Sum': operand 1: got node 99, expected one of 6"},
      {"no operand at all", [](Graph& g) { Inside(Nodes{}, g)[4].operands[1] = kNoNode; },
       "'Sum': operand 1: got node 4294967295"},
      {"a use that is no operand", [](Graph& g) { Inside(Nodes{}, g)[4].operands[1] = kA; },
       "'B': is not operand 1 of 'Sum', though listed as a use"},
      {"a use of a node that does not exist", [](Graph& g) { Inside(Nodes{}, g)[0].uses[0].target = NodeId{99}; },
       "'A': is not operand 0 of node 99"},
      {"a use by an operand that does not exist", [](Graph& g) { Inside(Nodes{}, g)[0].uses[0].operand = 5; },
       "'A': is not operand 5 of 'U'"},
      {"a use of somebody else", [](Graph& g) { Inside(Nodes{}, g)[0].uses[0].source = kB; },
       "'A': is not operand 0 of 'U'"},
      {"a use listed twice",
       [](Graph& g) {
         Inside(Nodes{}, g)[0].uses = Listed({{kA, kU, 0}, {kA, kU, 0}});
       },
       "'A': lists its uses by 'U' out of order or twice"},
      {"uses out of order", [](Graph& g) { std::swap(Inside(Nodes{}, g)[4].uses[0], Inside(Nodes{}, g)[4].uses[1]); },
       "'Sum': lists its uses by 'Top' out of order"},
      {"a use that is not listed",
       [](Graph& g) {
         Inside(Nodes{}, g)[4].uses = Listed({{kSum, kTop, 0}});
       },
       "'Sum': does not know that it is operand 1 of 'Top'"},
      {"a cycle",
       [](Graph& g) {
         Inside(Nodes{}, g)[3].operands[0] = kTop;
         Inside(Nodes{}, g)[0].uses = {};
         Inside(Nodes{}, g)[5].uses = Listed({{kTop, kU, 0}});
       },
       "is on a cycle, through"},
      {"a node that uses itself",
       [](Graph& g) {
         Inside(Nodes{}, g)[3].operands[0] = kU;
         Inside(Nodes{}, g)[0].uses = {};
         Inside(Nodes{}, g)[3].uses = Listed({{kU, kU, 0}, {kU, kSum, 0}});
       },
       "'U': is on a cycle, through 'U'"},
      {"a user before its operand",
       [](Graph& g) {
         auto& nodes = Inside(Nodes{}, g);
         nodes[3].operands[0] = kV;
         nodes[0].uses = {};
         std::swap(nodes[2], nodes[3]);
         nodes[2].operands[0] = kU;
         nodes[2].uses = Listed({{kV, kSum, 0}});
         nodes[3].uses = Listed({{kU, kV, 0}});
         nodes[4].operands[0] = kV;
       },
       "'U': comes before its operand 'V'"},
      {"a node without a name", [](Graph& g) { Inside(Nodes{}, g)[3].name = Path(); }, "node 3 has no name"},
      {"a name that is not found",
       [](Graph& g) { Inside(NamesInside{}, g).Renumber([](uint32_t i) { return i == 3 ? HashIndex::kNone : i; }); },
       "'U': is not found by its name"},
      {"a name that another node has", [](Graph& g) { Inside(Nodes{}, g)[3].name = "Sum"; },
       "'Sum': shares its name with node 4"},
      {"an alias of nothing", [](Graph& g) { Inside(AliasesInside{}, g).emplace_back("Ghost", NodeId{99}); },
       "node 99: is not found by its alias 'Ghost'"},
      {"an alias that is not found", [](Graph& g) { Inside(AliasesInside{}, g).emplace_back("Ghost", kU); },
       "'U': is not found by its alias 'Ghost'"},
      {"an alias that is the name of another node", [](Graph& g) { Inside(AliasesInside{}, g)[0].first = "U"; },
       "'Top': is not found by its alias 'U'"},
      {"a shape that the rule does not give", [](Graph& g) { Inside(Nodes{}, g)[5].type.shape = {3}; },
       "'Top': got type f32[3], expected f32[N, 3] by the rule of Binary"},
      {"a dtype that the rule does not give", [](Graph& g) { Inside(Nodes{}, g)[5].type.dtype = DType::kFloat64; },
       "'Top': got type f64[N, 3], expected f32[N, 3]"},
      {"a wrong type further up", [](Graph& g) { Inside(Nodes{}, g)[0].type.shape = {4}; },
       "'A': got type f32[4], expected f32[N, 3]"},
      {"operands that the rule refuses",
       [](Graph& g) {
         Inside(Nodes{}, g)[1].attributes = {{"dtype", DType::kFloat32}, {"shape", Shape{4}}};
         Inside(Nodes{}, g)[1].type.shape = {4};
       },
       "Binary 'Sum': operands of different shapes"},
      {"an attribute that the rule misses", [](Graph& g) { Inside(Nodes{}, g)[1].attributes = {}; },
       "attribute 'dtype': missing"},
      {"a wrong number of operands",
       [](Graph& g) {
         Inside(Nodes{}, g)[5].operands = Inside(Nodes{}, g)[5].operands.first(1);
         Inside(Nodes{}, g)[4].uses = Listed({{kSum, kTop, 0}});
       },
       "Binary 'Top': got 1 operands, expected 2"},
      {"an update of no variable", [](Graph& g) { Inside(UpdatesInside{}, g)[0].first = kA; },
       "'A': update: got a Placeholder, expected a variable"},
      {"an update by a node that does not exist", [](Graph& g) { Inside(UpdatesInside{}, g)[0].second = kNoNode; },
       "'V': update: got a node of another graph"},
      {"an update of a node that does not exist", [](Graph& g) { Inside(UpdatesInside{}, g)[0].first = NodeId{99}; },
       "node 99: update: got a node of another graph"},
      {"two updates", [](Graph& g) { Inside(UpdatesInside{}, g).emplace_back(kV, kU); },
       "'V': update: got two, expected one"},
      {"two initial values", [](Graph& g) { Inside(InitialValuesInside{}, g).emplace_back(kV, kU); },
       "'V': initial value: got two, expected one"},
      {"an update of another type",
       [](Graph& g) {
         const Node wide = ToyInput(g, "Wide", {4});
         Inside(UpdatesInside{}, g)[0].second = wide.id();
       },
       "'V': update: got 'Wide' f32[4], expected f32[N, 3]"},
      {"a stranger in a collection", [](Graph& g) { Inside(CollectionsInside{}, g)["key"].push_back(NodeId{99}); },
       "node 99: in collection 'key': got a node of another graph"},
  };
  for (const Case& c : cases) {
    Graph graph = LegalGraph();
    c.harm(graph);
    EXPECT_THAT(Thrown([&] { Verify(graph); }), HasSubstr(c.sentence)) << c.what;
  }
}

TEST(Verify, SeesKindsAsTheyAreNow) {
  static constexpr OpDef kLoss = ToyOp("Loss", 1, PerBlock{nullptr}, [](const TypeContext& context) -> TensorType {
    context.Require(context.operand(0).kind != ValueKind::kProbability, "expected logits");
    return context.operand(0);
  });
  Graph graph;
  const Node x = ToyInput(graph, "X");
  graph.Add(kLoss, {x});
  EXPECT_NO_THROW(Verify(graph));
  graph.SetKind(x, ValueKind::kProbability);
  EXPECT_THAT(Thrown([&] { Verify(graph); }), HasSubstr("Loss 'Loss': expected logits"));
}

TEST(Verify, FollowsAMillionNodesInARow) {
  Graph graph;
  ToyChain(graph, 1'000'000);
  EXPECT_NO_THROW(Verify(graph));
}

}  // namespace
}  // namespace weft
