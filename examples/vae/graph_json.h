// A graph as JSON. The schema is in docs/looking.md.
#pragma once

#include "weft/examples/vae/report.h"
#include "weft/graph/graph.h"

namespace weft {

// Bytes and operations are those of a batch of so many, where the graph has an N.
Json GraphJson(const Graph& graph, int64_t batch);

// Of a node with numbers for N: two a multiply-add of a matrix product, one an element of what else is computed element
// by element or summed up, none of what only moves numbers.
double OperationsOf(const Graph& graph, NodeId id, int64_t batch);

}  // namespace weft
