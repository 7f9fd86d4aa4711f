// Lint: what is legal in a graph, but hardly meant.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "weft/graph/graph.h"

namespace weft {

struct Finding {
  Path node;             // or the scope of a layer, for automatic-name
  std::string code;      // "double-sigmoid": stable, for filters
  std::string sentence;  // names the node, says what is wrong and what to do
};

// The findings about `graph`, whose `targets` are what training minimises; without targets the rules about them are
// silent.
//   double-sigmoid        a sigmoid of probabilities
//   dead-bias             a bias that a mean over the batch, subtracted right after, cancels
//   unreachable-variable  a variable on which neither a target nor an update of other state depends
//   unused-placeholder    a placeholder that no node reads
//   loss-not-scalar       a target with more than one number
//   automatic-name        trainable variables of a layer whose name has a counter, which moves when a layer is inserted
// In the order of this list, then of ids.
std::vector<Finding> Lint(const Graph& graph, std::span<const Node> targets);

}  // namespace weft
