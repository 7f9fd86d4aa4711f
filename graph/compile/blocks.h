// How the work of a step is cut into blocks: by its shape alone, so that the bits of a result cannot depend on threads.
#pragma once

#include <cstdint>

#include "weft/graph/compile/program.h"

namespace weft {

// A fused group: a block is a piece of a row, or several short rows.
struct ElementGrid {
  int64_t rows_per_block, pieces;  // pieces of BlockElements in a row
};
ElementGrid GridOf(const BlockProgram& program);
uint32_t BlockCount(const BlockProgram& program);

// A fold: `length` is cut into segments of plan.segment. Over rows (inner = 1) a block is a segment of a row, or
// several short rows; over columns it is a segment of a piece of BlockElements columns.
int64_t SegmentLength(const ReductionPlan& plan);
int64_t SegmentCount(const ReductionPlan& plan);
int64_t RowsPerBlock(const ReductionPlan& plan);
uint32_t BlockCount(const Step& reduction);

// (a + b − 1) / b
constexpr int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace weft
