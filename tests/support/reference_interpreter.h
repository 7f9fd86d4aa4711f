// The naive interpreter: any graph, node by node, by the formulas of its ops. No Highway, no blocks, no threads, no
// passes: over f64 what every compiled result is compared with, over complex numbers what every gradient is.
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

// The slopes of the fetches when each node of `directions`, all of them fed, moves along its own: forward-mode
// differentiation. Complex numbers x + 10⁻²⁰·i·direction go through the graph; the imaginary part is the slope to about
// the last place, since its square, 10⁻⁴⁰, is lost in rounding. So they are dual numbers whose rules are those of
// complex functions. At a kink, the slope of the branch that the formula takes.
std::vector<Tensor> InterpretSlopes(Graph& graph, std::span<const Node> fetches, const std::map<NodeId, Tensor>& feeds,
                                    const std::map<NodeId, Tensor>& directions, const InterpretOptions& options = {});

// What the rounding of the fetches is measured by: the sum of the terms of a node is
//
//   |value| + Σᵢ |∂value/∂operandᵢ|·(the sum of the terms of operand i)
//
// and 0 for what is fed; for a sum or a product of matrices |value| is that of the absolute elements. If each op is
// right to k units of ε·|value|, the fetch is right to k·ε times the sum of its terms, to first order in ε.
std::vector<Tensor> InterpretTerms(Graph& graph, std::span<const Node> fetches, const std::map<NodeId, Tensor>& feeds,
                                   const InterpretOptions& options = {});

}  // namespace weft
