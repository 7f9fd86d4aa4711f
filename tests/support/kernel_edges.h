// Kernels beside unreadable memory: every buffer ends, then begins, exactly where its contract (graph/kernel.h) says
// that nothing is read or written any more.
#pragma once

#include <cstddef>
#include <vector>

#include "weft/graph/op.h"

namespace weft {

struct EdgeSizes {
  std::vector<size_t> counts;   // elements of a row
  std::vector<size_t> offsets;  // elements by which a row is moved away from the edge, and so from its alignment
};

// 0 … 130 and 1,000 ± 1 elements: all tails, the loops around them, and every place within a vector of 64 bytes.
EdgeSizes AllEdgeSizes();
// Some of each.
EdgeSizes SomeEdgeSizes();

// Runs the block kernels of the op (PerBlock, those of a reduction, that of the combination which it ends) on rows of
// these sizes: one row and several, operands that a row or all rows share, in place of each operand. Adds a failure
// where a result differs from that of a row in the midst of memory, or a byte that is not of the output has changed;
// whoever touches a byte beyond the edge is ended by the system.
void ExpectBlocksKeepToTheirMemory(const OpDef& op, DType dtype, const EdgeSizes& sizes);

// The same for the steps of an InSteps op, over its samples, as they are and stretched, in each layout that it takes.
void ExpectStepsKeepToTheirMemory(const OpDef& op, DType dtype);

}  // namespace weft
