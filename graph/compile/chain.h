// Chains: steps that need nothing of other columns of their matrices are run column by column, one behind the other,
// so that what one writes is still in the cache when the next reads it.
#pragma once

#include "weft/graph/compile/program.h"

namespace weft {

// Moves steps behind the product, or the first of them, whose columns they work on. Bits do not change: each does what
// it did, on a strip of its columns at a time. For a program that is not yet placed in memory.
Program FormChains(Program program);

}  // namespace weft
