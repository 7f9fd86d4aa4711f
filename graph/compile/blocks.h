// How the work of a step is cut into blocks: by its shape alone, so that the bits of a result cannot depend on threads.
#pragma once

#include <cstdint>

#include "weft/graph/compile/program.h"

namespace weft {

// Neighbouring columns that a block may have: all, up to a register full, or those of a panel.
int64_t BlockColumns(const BlockProgram& program);

// Rows of `columns` ≤ BlockElements elements that fit in a register, each padded to whole vectors.
int64_t RowsPerBlock(DType dtype, int64_t columns);

// A fused group: a block is a piece of a row, or several short rows.
struct ElementGrid {
  int64_t rows_per_block, columns_per_block;
  int64_t row_blocks, pieces;  // pieces of a row
  bool panels;

  struct Corner {
    int64_t row, column;
  };
  Corner BlockAt(int64_t block) const {  // in the order in which they lie in memory
    const int64_t r = panels ? block % row_blocks : block / pieces, c = panels ? block / row_blocks : block % pieces;
    return {r * rows_per_block, c * columns_per_block};
  }
};
ElementGrid GridOf(const BlockProgram& program);
uint32_t BlockCount(const BlockProgram& program);

// A fold: `length` is cut into segments of plan.segment. Over rows (inner = 1) a block is a segment of a row, or
// several short rows; over columns it is a segment of a piece of BlockElements columns.
int64_t SegmentLength(const ReductionPlan& plan);
int64_t RowsPerBlock(const ReductionPlan& plan);

// A step of kind kStrips: columns of a strip.
int64_t StripColumns(const Step& strips);

// Memory of a thread for what a chain makes and reads itself: pieces of four matrices at a time.
inline constexpr int64_t kStripMemoryBytes = 4 * (kMaxPieceBytes + kAlignment);

// A step of kind kCopy between layouts: rows of a block.
int64_t RowsPerCopy(const Step& copy);

// Of a step of kind kBlocks, kReduction, kStrips, or kCopy between layouts.
uint32_t BlockCount(const Step& step);

// (a + b − 1) / b
constexpr int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace weft
