// How operands of different shapes are read in the [rows, columns] space of a fused group.
#pragma once

#include <cstdint>
#include <optional>

#include "weft/graph/compile/program.h"

namespace weft {

// A shape of rank r can be cut into rows and columns at 0 … r. Bit s says that `operand`, stretched to `shape`, can be
// read when it is cut at s: as all elements, a row of columns, a column of rows, or one number.
uint32_t PossibleSplits(const Shape& operand, const Shape& shape);

// How it is read there. The split must be possible.
Cover CoverAt(const Shape& operand, const Shape& shape, size_t split);

inline uint32_t AllSplits(const Shape& shape) { return (2u << shape.rank()) - 1; }

}  // namespace weft
