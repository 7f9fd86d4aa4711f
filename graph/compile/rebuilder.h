// Rebuilder: how a pass makes a new graph out of an old one, node by node. Names, kinds and aliases come along.
#pragma once

#include <string_view>
#include <vector>

#include "weft/graph/compile/passes.h"

namespace weft {

// The roots of a compilation: fetches, then next values and their variables.
std::vector<NodeId> Wanted(std::span<const NodeId> fetches, std::span<const Graph::Pair> updates);

class Rebuilder {
 public:
  // Nodes that stand for none of `from` are named below `pass`. `batch` ≥ 0: N in shapes becomes this number.
  Rebuilder(const Graph& from, std::string_view pass, int64_t batch = -1);

  Graph& graph() { return graph_; }
  bool Has(NodeId old) const { return now_[Index(old)] != kNoNode; }
  Node Now(NodeId old) { return graph_.node(now_[Index(old)]); }  // what stands for `old`
  std::span<const Node> Operands(NodeId old);  // what stands for its operands, which come first; until the next call

  // A copy that stands for `old` under its name.
  Node Copy(NodeId old);
  // From now on `by` stands for `old`, instead of a copy if there is one, and answers to its name: a new node takes
  // name and kind, another one gets an alias. Throws GraphError if it is of another type: a pass or a simplification
  // rule is wrong.
  void Replace(NodeId old, Node by);

  // The shape with the batch size for N, as `old` needs it. Throws GraphError if there is none.
  Shape Bound(const Shape& shape, NodeId old) const;

  // The new graph without what is not needed.
  CompileGraph Finish(std::span<const NodeId> fetches, std::span<const Graph::Pair> updates) &&;

 private:
  void RequireType(NodeId old, const Node& by) const;
  Attributes BoundAttributes(NodeId old) const;

  const Graph& from_;
  std::string_view pass_;
  int64_t batch_;
  Graph graph_;
  std::vector<NodeId> now_;  // by old id
  std::vector<Node> operands_;
};

}  // namespace weft
