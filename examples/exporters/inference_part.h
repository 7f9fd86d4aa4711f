// InferencePart: what inference needs of a graph to get from some nodes to others, as a graph of its own. What is
// exported is such a part.
//
//   InferencePart part = InferencePartOf(graph, {z}, {decoder.mean});
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "weft/graph/error.h"
#include "weft/graph/graph.h"

namespace weft {

// A graph, or a node in it, that cannot be exported as it is.
class ExportError : public Error {
 public:
  using Error::Error;
};

struct InferencePart {
  Graph graph;
  std::vector<NodeId> inputs;   // placeholders
  std::vector<NodeId> outputs;  // in the order in which they were asked for, like the inputs, each once
};

// A copy of the nodes between `inputs`, any nodes, as with feeds, and `outputs`. Nodes keep their names, types and
// order (canonical: the same whatever compiler built the graph), and N stays symbolic. ByMode is its operand for
// inference and StopGradient its operand; an output that is one of them, its name kept, is a Reshape to the same shape.
// A placeholder that is no input is its default. Random nodes stay: feed them, or let the exporter refuse them.
//
// Throws GraphError for nodes that are not in the graph, ExportError for a placeholder that is no input and has no
// default.
InferencePart InferencePartOf(const Graph& graph, std::span<const NodeId> inputs, std::span<const NodeId> outputs);
InferencePart InferencePartOf(const Graph& graph, std::initializer_list<Node> inputs,
                              std::initializer_list<Node> outputs);

}  // namespace weft
