// The naive interpreter: any graph, node by node, in f64 by the formulas of its ops. No Highway, no blocks, no threads,
// no passes: what every compiled result is compared with.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "weft/graph/compile/program.h"
#include "weft/graph/graph.h"
#include "weft/graph/tensor.h"

namespace weft {

struct InterpretOptions {
  Mode mode = Mode::kInference;
  uint64_t seed = 1;  // of RandomState, unless that is fed
  uint64_t run = 0;
  int64_t batch = -1;  // the value of N; −1: taken from the first feed of a node with N in its shape
};

// The fetched values as f64, in order. `feeds` may hold any node, of any dtype: its value is taken instead of computed.
// A variable that is not fed has its initial value; a placeholder its default. Throws GraphError for one without
// either, and for a shape that cannot be bound.
std::vector<Tensor> InterpretReference(Graph& graph, std::span<const Node> fetches,
                                       const std::map<NodeId, Tensor>& feeds, const InterpretOptions& options = {});

inline Tensor InterpretReference(Graph& graph, Node fetch, const std::map<NodeId, Tensor>& feeds,
                                 const InterpretOptions& options = {}) {
  return std::move(InterpretReference(graph, std::span(&fetch, 1), feeds, options)[0]);
}

}  // namespace weft
