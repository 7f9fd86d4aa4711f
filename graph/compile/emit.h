// Emit: units → steps over buffers, not yet placed in memory and not yet scheduled.
#pragma once

#include "weft/graph/compile/partition.h"
#include "weft/graph/compile/program.h"

namespace weft {

// What is asked of a program beside the graph.
struct EmitRequest {
  std::vector<NodeId> fetches = {};
  std::vector<Graph::Pair> updates = {};
  std::vector<NodeId> guards = {};
};

// The steps stand in an order in which they can run one after the other. A next value is written straight into its
// variable's buffer where a fused group makes it and all other readers of the variable come earlier, else by a copy at
// the end.
Program Emit(Graph graph, const PartitionResult& partition, const EmitRequest& request, Mode mode);

}  // namespace weft
