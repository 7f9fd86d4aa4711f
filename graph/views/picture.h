// Picture: the part of a graph that is drawn, as a graph for Boost.Graph: it has the nodes and edges of the graph, but
// an edge begins and ends at the boxes that stand for its nodes. For .cpp files only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "weft/graph/boost_graph.h"
#include "weft/graph/views/dot.h"

namespace weft {

enum class BoxKind : uint8_t { kPlaceholder, kVariable, kConstant, kRandom, kOp, kGradient, kUpdate, kScope, kOutside };

struct Box {
  BoxKind kind = BoxKind::kOp;
  Path scope = {};                      // the cluster that it lies in
  std::vector<std::string> lines = {};  // its label
};

struct Picture {
  const Graph* graph;
  std::vector<NodeId> box;      // by node: the node under whose id it is drawn; kNoNode: not at all
  std::map<NodeId, Box> boxes;  // what is drawn
  std::map<Edge, std::string>
      arrows;  // what is drawn, with its label; several edges between the same boxes are one arrow
};

Picture DrawnPart(const Graph& graph, const DotOptions& options);

inline auto vertices(const Picture& picture) { return vertices(*picture.graph); }
inline size_t num_vertices(const Picture& picture) { return num_vertices(*picture.graph); }
inline auto edges(const Picture& picture) { return edges(*picture.graph); }
inline size_t num_edges(const Picture& picture) { return num_edges(*picture.graph); }
inline NodeId source(const Edge& edge, const Picture& picture) { return picture.box[Index(edge.source)]; }
inline NodeId target(const Edge& edge, const Picture& picture) { return picture.box[Index(edge.target)]; }

}  // namespace weft

template <>
struct boost::graph_traits<weft::Picture> : boost::graph_traits<weft::Graph> {
  struct traversal_category : vertex_list_graph_tag, edge_list_graph_tag {};
};
