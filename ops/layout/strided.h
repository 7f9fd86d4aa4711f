// How the layout ops move elements: a row-major result read from an operand with strides of its own, cut into blocks.
#pragma once

#include <cstdint>
#include <vector>

#include "weft/graph/op.h"
#include "weft/ops/element_blocks.h"

namespace weft {

// Element strides of a row-major tensor.
std::vector<int64_t> RowMajorStrides(const Shape& shape);

// result[i₀, i₁, …] = operand[offset + Σ iₐ·strideₐ]; a stride of 0 repeats.
struct StridedRead {
  std::vector<int64_t> lengths, strides;
  int64_t offset = 0;

  // The same read with as few axes as it has: those of length 1 dropped, those that lie one behind the other merged.
  StridedRead Normalized() const;
  // The result is the operand's bytes from the offset on.
  bool is_contiguous() const;
};

// Leaves the step that writes the result from operand 0 of the same dtype.
void LowerStridedRead(LoweringContext& context, const StridedRead& read);

// The same in plain loops, for formulas.
template <class Number>
Values<Number> ReadInOrder(const Values<Number>& operand, const StridedRead& read, const Shape& shape);

}  // namespace weft
