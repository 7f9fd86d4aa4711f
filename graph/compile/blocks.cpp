// How the work of a step is cut into blocks.
#include "weft/graph/compile/blocks.h"

#include <algorithm>

#include <fmt/format.h>

#include "weft/graph/error.h"

namespace weft {
namespace {

// A block of a fold covers about this many elements: 64 KiB of f32, a few microseconds.
constexpr int64_t kFoldElements = int64_t{16} * 1024;

// A strip of a matrix has about this many elements: 32 KiB of f32, so that those that a chain works on stay in the L2.
constexpr int64_t kStripElements = int64_t{8} * 1024;

// Partial results are folded by a step of their own: this many at most keep it negligible.
constexpr int64_t kMaxSegments = 64;

uint32_t Checked(int64_t blocks) {
  if (blocks > UINT32_MAX) throw ResourceError(fmt::format("step: got {} blocks, expected fewer than 2³²", blocks));
  return static_cast<uint32_t>(blocks);
}

}  // namespace

int64_t RowsPerBlock(DType dtype, int64_t columns) {
  const auto vector = static_cast<int64_t>(kAlignment / SizeOf(dtype));
  return BlockElements(dtype) / (std::max<int64_t>(1, CeilDivide(columns, vector)) * vector);
}

int64_t BlockColumns(const BlockProgram& program) {
  return program.layout == Layout::kPanels ? PanelWidth(program.dtype) : BlockElements(program.dtype);
}

ElementGrid GridOf(const BlockProgram& program) {
  const bool panels = program.layout == Layout::kPanels;
  ElementGrid grid = {.rows_per_block = 1,
                      .columns_per_block = BlockColumns(program),
                      .row_blocks = 0,
                      .pieces = CeilDivide(program.columns, BlockColumns(program)),
                      .panels = panels};
  if (grid.pieces == 1) grid.rows_per_block = RowsPerBlock(program.dtype, program.columns);
  if (panels) grid.rows_per_block = RowsPerBlock(program.dtype, grid.columns_per_block);
  grid.row_blocks = CeilDivide(program.rows, grid.rows_per_block);
  return grid;
}

uint32_t BlockCount(const BlockProgram& program) {
  const ElementGrid grid = GridOf(program);
  return Checked(grid.row_blocks * grid.pieces);
}

int64_t SegmentLength(const ReductionPlan& plan) {
  // Whole leaves of the join tree (see the interpreter), so that short segments lose no accuracy.
  constexpr int64_t kMultiple = 32;
  const int64_t by_size = kFoldElements / std::max<int64_t>(plan.inner, 1);
  const int64_t segment =
      CeilDivide(std::max({kMultiple, by_size, CeilDivide(plan.length, kMaxSegments)}), kMultiple) * kMultiple;
  return std::max<int64_t>(1, std::min(plan.length, segment));
}

int64_t RowsPerBlock(const ReductionPlan& plan) {
  return plan.segments > 1 ? 1 : std::max<int64_t>(1, kFoldElements / std::max<int64_t>(1, plan.length));
}

int64_t StripColumns(const Step& strips) {
  const int64_t least = PanelWidth(strips.dtype);
  const int64_t fitting = kStripElements / strips.rows / least * least;
  return std::clamp(fitting, least, int64_t{BlockElements(strips.dtype)});
}

int64_t RowsPerCopy(const Step& copy) { return std::max<int64_t>(1, kFoldElements / copy.columns); }

uint32_t BlockCount(const Step& step) {
  if (step.kind == StepKind::kBlocks) return BlockCount(step.program);
  if (step.kind == StepKind::kCopy) return Checked(CeilDivide(step.rows, RowsPerCopy(step)));
  if (step.kind == StepKind::kStrips) return Checked(CeilDivide(step.chain_columns, StripColumns(step)));
  const ReductionPlan& plan = step.reduction;
  if (plan.inner == 1) return Checked(CeilDivide(plan.outer, RowsPerBlock(plan)) * plan.segments);
  return Checked(plan.outer * plan.segments * CeilDivide(plan.inner, BlockColumns(step.program)));
}

}  // namespace weft
