// Questions about a graph: Boost.Graph's algorithms behind plain names. None of them is recursive.
#pragma once

#include <span>
#include <vector>

#include "weft/graph/graph.h"

namespace weft {

// The targets and all they need, operands before users: depth first from each target, operands from left to right.
// Unlike the order of ids it does not depend on the order in which a compiler evaluates an expression.
std::vector<NodeId> CanonicalOrder(const Graph& graph, std::span<const NodeId> targets);

// marked[i]: node i is needed by one of the targets / needs one of the sources (themselves included).
std::vector<bool> Ancestors(const Graph& graph, std::span<const NodeId> targets);
std::vector<bool> Descendants(const Graph& graph, std::span<const NodeId> sources);

// Nodes on a way from a source to a target, in canonical order of the target.
std::vector<NodeId> Between(const Graph& graph, std::span<const NodeId> sources, NodeId target);

}  // namespace weft
