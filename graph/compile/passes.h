// The passes that turn a graph into a smaller graph with the same results, bit for bit. The user's graph is never
// touched: Bind copies what is needed of it, and the others work in place. Each leaves only what a fetch or an update
// needs.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "weft/graph/compile/program.h"
#include "weft/graph/graph.h"

namespace weft {

// A graph on its way through the passes, and what of it is wanted.
struct CompileGraph {
  Graph graph;
  std::vector<NodeId> fetches = {};       // in the caller's order
  std::vector<Graph::Pair> updates = {};  // variable, next value
};

// Copies what `fetches` and `updates` need, in canonical order (depth first, operands from left to right), so that
// nothing later depends on the order in which expressions were evaluated. N becomes `batch`, ByMode one of its
// operands. `batch` < 0: there is no N to bind (GraphError if one is met). A node of `fed` becomes a source of its
// name: what it would be computed from is not needed.
CompileGraph Bind(const Graph& graph, std::span<const NodeId> fetches, std::span<const Graph::Pair> updates,
                  int64_t batch, Mode mode, std::span<const NodeId> fed = {});

CompileGraph Prune(CompileGraph state);        // drops what no fetch and no update needs
CompileGraph Fold(CompileGraph state);         // elementwise nodes of constants become constants
CompileGraph Deduplicate(CompileGraph state);  // equal op, operands and attributes: one node
CompileGraph Simplify(CompileGraph state);     // each op's own rule; drops identities

}  // namespace weft
