// A graph as a picture in the DOT language of Graphviz: scopes are clusters, kinds of nodes are shapes and colours.
//
//   ToDot(graph, {.targets = {loss.id()}, .depth = 1})   // | dot -Tsvg > graph.svg
#pragma once

#include <climits>
#include <string>
#include <vector>

#include "weft/graph/graph.h"

namespace weft {

struct DotOptions {
  std::vector<NodeId> targets = {};  // draws what they need; everything if there are none
  Path scope = {};                   // draws only what lies within, and in grey what that reads from outside
  int depth = INT_MAX;           // a scope deeper than this, counted from `scope`, is one box; 0: no clusters at all
  int gradient_depth = INT_MAX;  // the same for Gradients/ and Training/, where that is less
  bool gradients = true;         // off: without Gradients/ and Training/, and all that follows from them
  bool initial_values = false;   // on: with the nodes that do nothing but initialise variables
  bool types = true;             // dtype[shape] on the arrows
};

// Ids are integers, names stand in labels and are escaped, so `graph` may have any names. What is noise
// and has no stated name is not drawn: a number stands in its consumer, an arrow begins at what a BroadcastTo repeats.
// Throws GraphError for a target that is no node of the graph.
std::string ToDot(const Graph& graph, const DotOptions& options = {});

}  // namespace weft
