// The transpose of a broadcast: sums over stretched axes.
#include "weft/ops/layout/sum_to_shape.h"

#include "weft/graph/error.h"
#include "weft/ops/ops.h"

namespace weft {

Node SumToShape(Node x, const Shape& shape) {
  if (Broadcast(shape, x.shape()) != x.shape()) {
    throw GraphError("SumToShape '" + x.name().str() + "': got " + ToString(x.shape()) + ", which " + ToString(shape) +
                     " does not stretch to");
  }
  const size_t added = x.shape().rank() - shape.rank();
  Axes stretched;
  for (size_t axis = 0; axis < x.shape().rank(); ++axis) {
    const Dim before = axis < added ? Dim(1) : shape[axis - added];
    if (before != x.shape()[axis]) stretched.push_back(static_cast<int64_t>(axis));
  }
  return Reshape(ReduceSum(x, stretched), shape);  // of no axes: x itself
}

}  // namespace weft
