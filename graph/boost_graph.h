// Makes Graph a model of Boost.Graph's VertexListGraph, BidirectionalGraph, AdjacencyGraph and EdgeListGraph, as it
// lies: no copy and no algorithm. For .cpp files only: what it brings along is heavy.
//
// Vertices are node ids; an edge leads from the node that is used to its user; x · x is two parallel edges.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <boost/graph/graph_traits.hpp>
#include <boost/graph/properties.hpp>
#include <boost/iterator/counting_iterator.hpp>
#include <boost/iterator/iterator_facade.hpp>
#include <boost/iterator/transform_iterator.hpp>
#include <boost/property_map/property_map.hpp>

#include "weft/graph/graph.h"

namespace weft {

// Positions 0, 1, 2 … seen through a function object (no lambda: Boost.Graph default-constructs iterators).
template <class ElementAt>
using Positions = boost::transform_iterator<ElementAt, boost::counting_iterator<uint32_t>>;

template <class ElementAt>
std::pair<Positions<ElementAt>, Positions<ElementAt>> PositionsOf(ElementAt at, size_t count) {
  return {Positions<ElementAt>(boost::counting_iterator<uint32_t>(0), at),
          Positions<ElementAt>(boost::counting_iterator<uint32_t>(static_cast<uint32_t>(count)), at)};
}

struct NodeAt {
  NodeId operator()(uint32_t i) const { return NodeId{i}; }
};

struct UserAt {
  const Edge* uses = nullptr;
  NodeId operator()(uint32_t i) const { return uses[i].target; }
};

struct OperandEdgeAt {
  const NodeId* operands = nullptr;
  NodeId target = kNoNode;
  Edge operator()(uint32_t i) const { return {operands[i], target, i}; }
};

// All edges, user by user, operands from left to right.
class EdgeIterator : public boost::iterator_facade<EdgeIterator, const Edge, boost::forward_traversal_tag, Edge> {
 public:
  EdgeIterator() = default;
  EdgeIterator(const Graph& graph, size_t target) : graph_(&graph), target_(static_cast<uint32_t>(target)) {
    SkipFinished();
  }

 private:
  friend class boost::iterator_core_access;
  Edge dereference() const { return {graph_->operands(NodeId{target_})[operand_], NodeId{target_}, operand_}; }
  bool equal(const EdgeIterator& other) const { return target_ == other.target_ && operand_ == other.operand_; }
  void increment() {
    ++operand_;
    SkipFinished();
  }
  void SkipFinished() {
    while (target_ < graph_->size() && operand_ == graph_->operands(NodeId{target_}).size()) {
      ++target_;
      operand_ = 0;
    }
  }

  const Graph* graph_ = nullptr;
  uint32_t target_ = 0;
  uint32_t operand_ = 0;
};

// The property vertex_index: ids are 0, 1, 2 … already.
struct NodeIndexMap {
  using key_type = NodeId;
  using value_type = size_t;
  using reference = size_t;
  using category = boost::readable_property_map_tag;
};
inline size_t get(NodeIndexMap, NodeId id) { return Index(id); }
inline NodeIndexMap get(boost::vertex_index_t, const Graph&) { return {}; }
inline size_t get(boost::vertex_index_t, const Graph&, NodeId id) { return Index(id); }

inline size_t num_vertices(const Graph& graph) { return graph.size(); }
inline auto vertices(const Graph& graph) { return PositionsOf(NodeAt{}, graph.size()); }

inline NodeId source(const Edge& edge, const Graph&) { return edge.source; }
inline NodeId target(const Edge& edge, const Graph&) { return edge.target; }
inline std::pair<EdgeIterator, EdgeIterator> edges(const Graph& graph) { return {{graph, 0}, {graph, graph.size()}}; }
inline size_t num_edges(const Graph& graph) {
  size_t count = 0;
  for (uint32_t i = 0; i < graph.size(); ++i) count += graph.operands(NodeId{i}).size();
  return count;
}

inline size_t out_degree(NodeId id, const Graph& graph) { return graph.uses(id).size(); }
inline size_t in_degree(NodeId id, const Graph& graph) { return graph.operands(id).size(); }
inline size_t degree(NodeId id, const Graph& graph) { return out_degree(id, graph) + in_degree(id, graph); }
inline std::pair<const Edge*, const Edge*> out_edges(NodeId id, const Graph& graph) {
  const std::span<const Edge> uses = graph.uses(id);
  return {uses.data(), uses.data() + uses.size()};
}
inline auto in_edges(NodeId id, const Graph& graph) {
  return PositionsOf(OperandEdgeAt{graph.operands(id).data(), id}, in_degree(id, graph));
}
inline auto adjacent_vertices(NodeId id, const Graph& graph) {
  return PositionsOf(UserAt{graph.uses(id).data()}, out_degree(id, graph));
}

}  // namespace weft

template <>
struct boost::graph_traits<weft::Graph> {
  using vertex_descriptor = weft::NodeId;
  using edge_descriptor = weft::Edge;
  using directed_category = bidirectional_tag;
  using edge_parallel_category = allow_parallel_edge_tag;
  struct traversal_category : vertex_list_graph_tag,
                              bidirectional_graph_tag,
                              adjacency_graph_tag,
                              edge_list_graph_tag {};
  using vertex_iterator = weft::Positions<weft::NodeAt>;
  using edge_iterator = weft::EdgeIterator;
  using out_edge_iterator = const weft::Edge*;
  using in_edge_iterator = weft::Positions<weft::OperandEdgeAt>;
  using adjacency_iterator = weft::Positions<weft::UserAt>;
  using vertices_size_type = size_t;
  using edges_size_type = size_t;
  using degree_size_type = size_t;
  static vertex_descriptor null_vertex() { return weft::kNoNode; }
};

template <>
struct boost::property_map<weft::Graph, boost::vertex_index_t> {
  using type = weft::NodeIndexMap;
  using const_type = weft::NodeIndexMap;
};
