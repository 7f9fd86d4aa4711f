// The adaptor: Boost.Graph's concepts hold, and its views see operands and users in their order.
#include "weft/graph/boost_graph.h"

#include <boost/graph/filtered_graph.hpp>
#include <boost/graph/graph_concepts.hpp>
#include <boost/graph/reverse_graph.hpp>
#include <boost/graph/topological_sort.hpp>
#include <boost/range/iterator_range.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <vector>

#include "weft/tests/support/toy_ops.h"

namespace weft {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

BOOST_CONCEPT_ASSERT((boost::VertexListGraphConcept<Graph>));
BOOST_CONCEPT_ASSERT((boost::EdgeListGraphConcept<Graph>));
BOOST_CONCEPT_ASSERT((boost::VertexAndEdgeListGraphConcept<Graph>));
BOOST_CONCEPT_ASSERT((boost::IncidenceGraphConcept<Graph>));
BOOST_CONCEPT_ASSERT((boost::BidirectionalGraphConcept<Graph>));
BOOST_CONCEPT_ASSERT((boost::AdjacencyGraphConcept<Graph>));
BOOST_CONCEPT_ASSERT((boost::ReadablePropertyGraphConcept<Graph, NodeId, boost::vertex_index_t>));
BOOST_CONCEPT_ASSERT((boost::ReadablePropertyMapConcept<NodeIndexMap, NodeId>));
BOOST_CONCEPT_ASSERT((boost::BidirectionalGraphConcept<boost::reverse_graph<Graph>>));

// x ─┬→ y ─┬→ z
//    └──→──┘      z = Concat(y, x, y), alone = an input that nobody reads
class BoostGraph : public testing::Test {
 protected:
  Graph graph;
  const NodeId x = ToyInput(graph, "X").id();
  const NodeId alone = ToyInput(graph, "Alone").id();
  const NodeId y = ToyUnary(graph.node(x)).id();
  const NodeId z = graph.Add(kToyConcat, {graph.node(y), graph.node(x), graph.node(y)}).id();

  template <class Iterator>
  static auto ListOf(std::pair<Iterator, Iterator> range) {
    return std::vector<std::decay_t<decltype(*range.first)>>(range.first, range.second);
  }
};

TEST_F(BoostGraph, ListsVertices) {
  EXPECT_EQ(num_vertices(graph), 4u);
  EXPECT_THAT(ListOf(vertices(graph)), ElementsAre(x, alone, y, z));
  EXPECT_EQ(get(boost::vertex_index, graph, z), 3u);
  EXPECT_EQ(get(get(boost::vertex_index, graph), y), 2u);
}

TEST_F(BoostGraph, ListsEdgesUserByUser) {
  EXPECT_EQ(num_edges(graph), 4u);
  EXPECT_THAT(ListOf(edges(graph)), ElementsAre(Edge{x, y, 0}, Edge{y, z, 0}, Edge{x, z, 1}, Edge{y, z, 2}));
  for (Edge edge : boost::make_iterator_range(edges(graph))) {
    EXPECT_EQ(source(edge, graph), edge.source);
    EXPECT_EQ(target(edge, graph), edge.target);
  }
}

TEST_F(BoostGraph, ListsOperandsAndUsesWithParallelEdges) {
  EXPECT_THAT(ListOf(in_edges(z, graph)), ElementsAre(Edge{y, z, 0}, Edge{x, z, 1}, Edge{y, z, 2}));
  EXPECT_THAT(ListOf(out_edges(y, graph)), ElementsAre(Edge{y, z, 0}, Edge{y, z, 2}));
  EXPECT_THAT(ListOf(adjacent_vertices(x, graph)), ElementsAre(y, z));
  EXPECT_EQ(in_degree(z, graph), 3u);
  EXPECT_EQ(out_degree(y, graph), 2u);
  EXPECT_EQ(degree(y, graph), 3u);
  EXPECT_THAT(ListOf(in_edges(alone, graph)), IsEmpty());
  EXPECT_THAT(ListOf(out_edges(alone, graph)), IsEmpty());
}

TEST_F(BoostGraph, AnEmptyGraphHasEmptyRanges) {
  const Graph empty;
  EXPECT_THAT(ListOf(vertices(empty)), IsEmpty());
  EXPECT_THAT(ListOf(edges(empty)), IsEmpty());
  EXPECT_EQ(num_edges(empty), 0u);
}

TEST_F(BoostGraph, ReversedOperandsComeFromLeftToRight) {
  const auto reversed = boost::make_reverse_graph(graph);
  EXPECT_THAT(ListOf(adjacent_vertices(z, reversed)), ElementsAre(y, x, y));
}

TEST_F(BoostGraph, SortsTopologically) {
  std::vector<NodeId> users_first;
  boost::topological_sort(graph, std::back_inserter(users_first));
  EXPECT_THAT(users_first, ElementsAre(z, y, x, alone));
}

struct IsNot {
  NodeId hidden = kNoNode;
  bool operator()(NodeId id) const { return id != hidden; }
};

TEST_F(BoostGraph, IsFilteredWithoutACopy) {
  const boost::filtered_graph<Graph, boost::keep_all, IsNot> view(graph, boost::keep_all(), IsNot{x});
  EXPECT_THAT(ListOf(vertices(view)), ElementsAre(alone, y, z));
  EXPECT_THAT(ListOf(edges(view)), ElementsAre(Edge{y, z, 0}, Edge{y, z, 2}));
  EXPECT_THAT(ListOf(in_edges(z, view)), ElementsAre(Edge{y, z, 0}, Edge{y, z, 2}));
}

}  // namespace
}  // namespace weft
