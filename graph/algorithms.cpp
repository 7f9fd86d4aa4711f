// Depth-first and breadth-first visits of Boost.Graph, along operands or along users; both keep their own stack or
// queue.
#include "weft/graph/algorithms.h"

#include <algorithm>

#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/depth_first_search.hpp>
#include <boost/graph/reverse_graph.hpp>
#include <boost/graph/two_bit_color_map.hpp>
#include <boost/pending/queue.hpp>
#include <fmt/format.h>

#include "weft/graph/boost_graph.h"
#include "weft/graph/error.h"

namespace weft {
namespace {

void RequireKnown(const Graph& graph, std::span<const NodeId> ids, std::string_view who) {
  for (NodeId id : ids) {
    if (Index(id) >= graph.size())
      throw GraphError(fmt::format("{}: got node {}, expected one of {} nodes", who, Index(id), graph.size()));
  }
}

struct AppendFinished : boost::default_dfs_visitor {
  std::vector<NodeId>* order;
  explicit AppendFinished(std::vector<NodeId>& finished) : order(&finished) {}
  template <class View>
  void finish_vertex(NodeId id, const View&) const {
    order->push_back(id);
  }
};

// Everything that can be reached from `starts` along the edges of `view`.
template <class View>
std::vector<bool> Reached(const View& view, std::span<const NodeId> starts) {
  auto colors = boost::make_two_bit_color_map(num_vertices(view), NodeIndexMap{});
  boost::queue<NodeId> queue;
  boost::breadth_first_visit(view, starts.begin(), starts.end(), queue, boost::default_bfs_visitor(), colors);
  std::vector<bool> reached(num_vertices(view));
  for (uint32_t i = 0; i < reached.size(); ++i) reached[i] = get(colors, NodeId{i}) != boost::two_bit_white;
  return reached;
}

}  // namespace

std::vector<NodeId> CanonicalOrder(const Graph& graph, std::span<const NodeId> targets) {
  RequireKnown(graph, targets, "CanonicalOrder");
  const auto operands_first = boost::make_reverse_graph(graph);
  auto colors = boost::make_two_bit_color_map(graph.size(), NodeIndexMap{});
  std::vector<NodeId> order;
  for (NodeId target : targets) {
    if (get(colors, target) == boost::two_bit_white)
      boost::depth_first_visit(operands_first, target, AppendFinished(order), colors);
  }
  return order;
}

std::vector<bool> Ancestors(const Graph& graph, std::span<const NodeId> targets) {
  RequireKnown(graph, targets, "Ancestors");
  return Reached(boost::make_reverse_graph(graph), targets);
}

std::vector<bool> Descendants(const Graph& graph, std::span<const NodeId> sources) {
  RequireKnown(graph, sources, "Descendants");
  return Reached(graph, sources);
}

std::vector<NodeId> Between(const Graph& graph, std::span<const NodeId> sources, NodeId target) {
  std::vector<NodeId> between = CanonicalOrder(graph, std::span(&target, 1));
  const std::vector<bool> after = Descendants(graph, sources);
  std::erase_if(between, [&after](NodeId id) { return !after[Index(id)]; });
  return between;
}

}  // namespace weft
