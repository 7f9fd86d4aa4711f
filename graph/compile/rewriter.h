// Rewriter: how a pass changes a graph in place, node by node. Names, kinds and aliases come along.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "weft/graph/compile/passes.h"

namespace weft {

// The roots of a compilation: fetches, then next values and their variables.
std::vector<NodeId> Wanted(std::span<const NodeId> fetches, std::span<const Graph::Pair> updates);

class Rewriter {
 public:
  // Nodes that stand for none of `state` are named below `pass`.
  Rewriter(CompileGraph state, std::string_view pass);

  Graph& graph() { return state_.graph; }                               // with the nodes that are made meanwhile
  uint32_t size() const { return static_cast<uint32_t>(now_.size()); }  // without the nodes that are made meanwhile
  Node Now(NodeId old) { return graph().node(now_[Index(old)]); }       // what stands for `old`

  // The node, which from now on reads what stands for its operands. To be asked for in the order of ids.
  Node Visit(NodeId old);
  // From now on `by` stands for `old` and answers to its name: a new node takes name and kind, another one gets an
  // alias. Throws GraphError if it is of another type: a pass or a simplification rule is wrong.
  void Replace(NodeId old, Node by);

  // The graph without what is not needed, and with new nodes where those stood that they stand for.
  CompileGraph Finish() &&;

 private:
  std::string_view pass_;
  CompileGraph state_;
  std::vector<NodeId> now_;                      // by old id
  std::vector<std::pair<NodeId, size_t>> made_;  // what was replaced, and the size of the graph by then
};

// Throws GraphError if the node, on its way through `pass`, is not of the type that it must have.
void RequireType(std::string_view pass, const Node& node, const TensorType& got, const TensorType& expected);

}  // namespace weft
