// Layout: which matrices lie in panels. A decision of the plan: feeds and fetches are row-major, the graph never hears
// of it.
#pragma once

#include <span>

#include "weft/graph/compile/partition.h"

namespace weft {

// May it lie in panels? A matrix of fewer columns than a panel has would be mostly filling.
bool FitsPanels(const TensorType& type);

// Fills Unit::layout and PartitionResult::layouts. Products give panels to whoever reads their result and want their
// weights so; what works on panels gives panels. Whoever cannot read them is given a copy.
void AssignLayouts(const Graph& graph, std::span<const Graph::Pair> updates, PartitionResult& partition);

}  // namespace weft
