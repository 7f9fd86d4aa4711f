// Covers of broadcast operands.
#include "weft/graph/compile/iteration_space.h"

namespace weft {
namespace {

// What a run of axes of the operand does: both are true where the run is all of length 1.
struct Run {
  bool same = true;  // as long as the shape
  bool ones = true;  // stretched throughout
};

Run RunOf(const Shape& operand, const Shape& shape, size_t begin, size_t end) {
  Run run;
  const size_t missing = shape.rank() - operand.rank();
  for (size_t axis = begin; axis < end; ++axis) {
    const Dim length = axis < missing ? Dim(1) : operand[axis - missing];
    run.same = run.same && length == shape[axis];
    run.ones = run.ones && length == Dim(1);
  }
  return run;
}

std::optional<Cover> TryCover(const Shape& operand, const Shape& shape, size_t split) {
  const Run rows = RunOf(operand, shape, 0, split);
  const Run columns = RunOf(operand, shape, split, shape.rank());
  if (rows.same && columns.same) return Cover::kFull;
  if (rows.ones && columns.ones) return Cover::kScalar;
  if (rows.ones && columns.same) return Cover::kPerColumn;
  if (rows.same && columns.ones) return Cover::kPerRow;
  return std::nullopt;
}

}  // namespace

uint32_t PossibleSplits(const Shape& operand, const Shape& shape) {
  uint32_t splits = 0;
  for (size_t split = 0; split <= shape.rank(); ++split) {
    if (TryCover(operand, shape, split)) splits |= 1u << split;
  }
  return splits;
}

Cover CoverAt(const Shape& operand, const Shape& shape, size_t split) { return *TryCover(operand, shape, split); }

}  // namespace weft
