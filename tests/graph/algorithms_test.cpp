// Orders and reachability, compared with plain loops on random graphs, and on a million nodes in a row.
#include "weft/graph/algorithms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <set>
#include <vector>

#include "weft/graph/error.h"
#include "weft/tests/support/thrown.h"
#include "weft/tests/support/toy_ops.h"

namespace weft {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using Ids = std::vector<NodeId>;

// A graph of `size` nodes with up to three operands each, parallel edges included.
void AddRandomNodes(Graph& graph, size_t size, std::mt19937& random) {
  const auto below = [&random](size_t n) { return static_cast<uint32_t>(random() % n); };
  for (size_t i = 0; i < size; ++i) {
    std::vector<Node> operands;
    for (size_t k = graph.size() == 0 ? 0 : below(4); k > 0; --k)
      operands.push_back(graph.node(NodeId{below(graph.size())}));
    if (operands.empty()) ToyInput(graph, "Input" + std::to_string(i));
    else graph.Add(kToyConcat, operands);
  }
}

Ids SlowCanonicalOrder(const Graph& graph, const Ids& targets) {
  Ids order;
  const std::function<void(NodeId)> visit = [&](NodeId id) {
    if (std::ranges::count(order, id) > 0) return;
    for (NodeId operand : graph.operands(id)) visit(operand);
    order.push_back(id);
  };
  for (NodeId target : targets) visit(target);
  return order;
}

std::vector<bool> SlowReach(const Graph& graph, const Ids& starts, bool forward) {
  std::vector<bool> marked(graph.size());
  for (NodeId start : starts) marked[Index(start)] = true;
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t i = 0; i < graph.size(); ++i) {
      for (NodeId operand : graph.operands(NodeId{i})) {
        const size_t from = forward ? Index(operand) : i, to = forward ? i : Index(operand);
        if (marked[from] && !marked[to]) marked[to] = changed = true;
      }
    }
  }
  return marked;
}

TEST(CanonicalOrder, IsDepthFirstWithOperandsFromLeftToRight) {
  Graph graph;
  const Node a = ToyInput(graph, "A"), b = ToyInput(graph, "B"), unused = ToyUnary(a);
  const Node right = ToyUnary(a), left = ToyUnary(b);
  const Node sum = ToyBinary(left, right);
  EXPECT_EQ(CanonicalOrder(graph, Ids{sum.id()}), (Ids{b.id(), left.id(), a.id(), right.id(), sum.id()}));
  EXPECT_EQ(CanonicalOrder(graph, Ids{unused.id(), sum.id()}),
            (Ids{a.id(), unused.id(), b.id(), left.id(), right.id(), sum.id()}));
  EXPECT_EQ(CanonicalOrder(graph, Ids{right.id(), right.id(), a.id()}), (Ids{a.id(), right.id()}))
      << "targets may repeat";
  EXPECT_THAT(CanonicalOrder(graph, {}), IsEmpty());
}

TEST(CanonicalOrder, DoesNotDependOnTheOrderOfCreation) {
  const auto names_of = [](bool left_first) {
    Graph graph;
    const Node x = ToyInput(graph, "X");
    const Node first = graph.AddNamed(left_first ? "Left" : "Right", kToyUnary, {x});
    const Node second = graph.AddNamed(left_first ? "Right" : "Left", kToyUnary, {x});
    const Node sum = left_first ? ToyBinary(first, second) : ToyBinary(second, first);
    std::vector<std::string> names;
    for (NodeId id : CanonicalOrder(graph, Ids{sum.id()})) names.push_back(graph.name(id).str());
    return names;
  };
  EXPECT_EQ(names_of(true), names_of(false));
}

TEST(Between, IsWhatLiesOnAWay) {
  Graph graph;
  const Node w = ToyInput(graph, "W"), x = ToyInput(graph, "X");
  const Node product = ToyBinary(x, w), side = ToyUnary(x), loss = ToyBinary(side, product), after = ToyUnary(loss);
  EXPECT_EQ(Between(graph, Ids{w.id()}, loss.id()), (Ids{w.id(), product.id(), loss.id()}));
  EXPECT_EQ(Between(graph, Ids{w.id(), x.id()}, loss.id()), (Ids{x.id(), side.id(), w.id(), product.id(), loss.id()}));
  EXPECT_EQ(Between(graph, Ids{loss.id()}, loss.id()), Ids{loss.id()});
  EXPECT_THAT(Between(graph, Ids{after.id()}, loss.id()), IsEmpty());
  EXPECT_THAT(Between(graph, Ids{w.id()}, side.id()), IsEmpty());
  EXPECT_THAT(Between(graph, {}, loss.id()), IsEmpty());
}

TEST(Algorithms, AgreeWithPlainLoopsOnRandomGraphs) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    Graph graph;
    AddRandomNodes(graph, 1 + random() % 40, random);
    Ids starts;
    for (size_t i = random() % 4; i > 0; --i) starts.push_back(NodeId{static_cast<uint32_t>(random() % graph.size())});
    const NodeId target{static_cast<uint32_t>(random() % graph.size())};
    EXPECT_EQ(CanonicalOrder(graph, starts), SlowCanonicalOrder(graph, starts));
    EXPECT_EQ(Ancestors(graph, starts), SlowReach(graph, starts, false));
    EXPECT_EQ(Descendants(graph, starts), SlowReach(graph, starts, true));
    Ids between;
    const std::vector<bool> after = SlowReach(graph, starts, true);
    for (NodeId id : SlowCanonicalOrder(graph, {target})) {
      if (after[Index(id)]) between.push_back(id);
    }
    EXPECT_EQ(Between(graph, starts, target), between);
  }
}

TEST(Algorithms, RefuseNodesThatAreNotThere) {
  Graph graph;
  const Ids valid = {ToyInput(graph, "X").id()};
  for (NodeId id : {NodeId{1}, kNoNode}) {
    const Ids ids = {id};
    EXPECT_THAT(Thrown([&] { CanonicalOrder(graph, ids); }), HasSubstr("expected one of 1 nodes"));
    EXPECT_THROW(Ancestors(graph, ids), GraphError);
    EXPECT_THROW(Descendants(graph, ids), GraphError);
    EXPECT_THROW(Between(graph, ids, valid[0]), GraphError);
    EXPECT_THROW(Between(graph, valid, id), GraphError);
  }
}

TEST(Algorithms, FollowAMillionNodesInARow) {
  constexpr uint32_t kLength = 1'000'000;
  Graph graph;
  ToyChain(graph, kLength);
  const Ids first = {NodeId{0}}, last = {NodeId{kLength - 1}};
  const Ids order = CanonicalOrder(graph, last);
  ASSERT_EQ(order.size(), kLength);
  EXPECT_TRUE(std::ranges::is_sorted(order));
  EXPECT_EQ(std::ranges::count(Ancestors(graph, last), true), kLength);
  EXPECT_EQ(std::ranges::count(Descendants(graph, first), true), kLength);
  EXPECT_EQ(Between(graph, first, last[0]), order);
}

}  // namespace
}  // namespace weft
