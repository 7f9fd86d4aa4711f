// ValueDifference: how far two tensors of one type are apart.
#pragma once

#include <cstdint>

#include "weft/graph/tensor.h"

namespace weft {

struct ValueDifference {
  int64_t elements = 0;
  int64_t unequal = 0;          // elements whose bits differ; the others below are about these
  int64_t not_finite = 0;       // of which one side at least is NaN or infinite
  double largest = 0;           // |a − b| of the others
  double largest_relative = 0;  // |a − b| / max(|a|, |b|) of the others, so at most 2
};

ValueDifference Difference(const Tensor& a, const Tensor& b);

}  // namespace weft
