// How the work of a step is cut into blocks.
#include "weft/graph/compile/blocks.h"

#include <algorithm>

#include <fmt/format.h>

#include "weft/graph/error.h"

namespace weft {
namespace {

// A block of a fold covers about this many elements: 64 KiB of f32, a few microseconds.
constexpr int64_t kFoldElements = int64_t{16} * 1024;

// Partial results are folded by a step of their own: this many at most keep it negligible.
constexpr int64_t kMaxSegments = 64;

uint32_t Checked(int64_t blocks) {
  if (blocks > UINT32_MAX) throw ResourceError(fmt::format("step: got {} blocks, expected fewer than 2³²", blocks));
  return static_cast<uint32_t>(blocks);
}

}  // namespace

ElementGrid GridOf(const BlockProgram& program) {
  const int64_t elements = BlockElements(program.dtype);
  const int64_t pieces = CeilDivide(program.columns, elements);
  return {.rows_per_block = pieces == 1 ? std::max<int64_t>(1, elements / program.columns) : 1, .pieces = pieces};
}

uint32_t BlockCount(const BlockProgram& program) {
  const ElementGrid grid = GridOf(program);
  return Checked(CeilDivide(program.rows, grid.rows_per_block) * grid.pieces);
}

int64_t SegmentLength(const ReductionPlan& plan) {
  // Whole leaves of the join tree (see the interpreter), so that short segments lose no accuracy.
  constexpr int64_t kMultiple = 32;
  const int64_t by_size = kFoldElements / std::max<int64_t>(plan.inner, 1);
  const int64_t segment =
      CeilDivide(std::max({kMultiple, by_size, CeilDivide(plan.length, kMaxSegments)}), kMultiple) * kMultiple;
  return std::max<int64_t>(1, std::min(plan.length, segment));
}

int64_t SegmentCount(const ReductionPlan& plan) { return std::max<int64_t>(1, CeilDivide(plan.length, plan.segment)); }

int64_t RowsPerBlock(const ReductionPlan& plan) {
  return SegmentCount(plan) > 1 ? 1 : std::max<int64_t>(1, kFoldElements / std::max<int64_t>(1, plan.length));
}

uint32_t BlockCount(const Step& reduction) {
  const ReductionPlan& plan = reduction.reduction;
  if (plan.inner == 1) return Checked(CeilDivide(plan.outer, RowsPerBlock(plan)) * SegmentCount(plan));
  return Checked(plan.outer * SegmentCount(plan) * CeilDivide(plan.inner, BlockElements(reduction.dtype)));
}

}  // namespace weft
