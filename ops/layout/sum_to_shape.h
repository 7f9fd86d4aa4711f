// SumToShape: the one place where a gradient is summed back over the axes that a broadcast stretched.
#pragma once

#include "weft/graph/graph.h"

namespace weft {

// `x` summed over every axis that stretching `shape` to the shape of x would repeat; N repeats a length of 1. `x`
// itself if there is none. Throws GraphError if `shape` does not stretch to the shape of x.
Node SumToShape(Node x, const Shape& shape);

}  // namespace weft
