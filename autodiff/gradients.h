// Gradients: reverse-mode differentiation as a function from graph to graph.
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "weft/graph/graph.h"

namespace weft {

enum class Unconnected : uint8_t { kError, kZero };

struct GradientOptions {
  Unconnected unconnected = Unconnected::kError;  // a variable that does not reach the target
};

// Appends the gradient of the scalar `target` to its graph and returns one node per entry of `variables`, in order, of
// the variable's type. Any node may be a variable. New nodes are named Gradients/<name of the forward node>. What is
// returned is ordinary: it can be fetched, printed, and differentiated again. Throws GraphError for a target that is no
// floating-point scalar, an op without a gradient on the way (naming it and its reason), a variable that does not reach
// the target.
std::vector<Node> Gradients(Node target, std::span<const Node> variables, const GradientOptions& options = {});

inline std::vector<Node> Gradients(Node target, std::initializer_list<Node> variables,
                                   const GradientOptions& options = {}) {
  return Gradients(target, std::span(variables.begin(), variables.size()), options);
}

}  // namespace weft
