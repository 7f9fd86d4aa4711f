// ReduceMean(x) = Σ x / (number of elements summed): the number is a node, as it may depend on the batch size.
// The mean of nothing is 0 / 0 = NaN.
#include "weft/ops/operators.h"
#include "weft/ops/reduction/reduction.h"

namespace weft {

Node ReduceMean(Node x) { return ReduceMean(x, AllAxes(x)); }

Node ReduceMean(Node x, const Axes& axes) {
  const Node sum = ReduceSum(x, axes);
  return sum / ElementCount(x, axes);
}

}  // namespace weft
