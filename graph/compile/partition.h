// Partition: which nodes are computed together. Fusion is a decision of the plan; the graph never hears of it.
#pragma once

#include <vector>

#include "weft/graph/compile/passes.h"
#include "weft/graph/compile/program.h"
#include "weft/graph/op.h"

namespace weft {

// An input of a unit: the node whose buffer is read, and the shape it has there (a smaller one is broadcast).
struct UnitInput {
  NodeId base;
  Shape shape;
};

// What becomes one step, or the consecutive steps of one node.
struct Unit {
  std::vector<NodeId> elementwise = {};  // a fused group, or the prologue of a reduction; by id
  NodeId node = kNoNode;                 // the reduction or the op that lowers itself; kNoNode for a group on its own
  Shape shape;                           // of the elementwise part
  uint32_t splits = 0;                   // how its space may be cut into rows and columns
  int stage = 0;                         // later than that of every unit it needs
  std::vector<UnitInput> inputs = {};    // from outside
  Layout layout = Layout::kRowMajor;     // in whose order the elementwise part runs over its space
};

struct PartitionResult {
  std::vector<Unit> units = {};         // in an order in which they can run
  std::vector<NodeId> base = {};        // base[i]: the node whose buffer holds node i (views have none of their own)
  std::vector<char> needs_buffer = {};  // read by another unit, fetched, or a next value
  std::vector<Layout> layouts = {};     // of the nodes' buffers
};

// Rules: (a) elementwise nodes of one shape that feed each other form a group; (b) what feeds only a reduction is the
// reduction's prologue; (c) what remains is a unit a node. `wanted`: nodes whose value must be in a buffer at the end.
// `fuse` off: (c) only.
PartitionResult Partition(const Graph& graph, const std::vector<NodeId>& wanted, bool fuse);

// Runs the op's lowering rule, for operands and a result that lie so.
LoweringContext Lower(const Graph& graph, NodeId node, std::vector<TensorType>& operand_types,
                      std::span<const Layout> layouts, Layout result_layout);

}  // namespace weft
