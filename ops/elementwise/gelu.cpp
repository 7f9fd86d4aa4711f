// Gelu(x) = x·Φ(x) = ½·x·(1 + erf(x/√2)), built of other ops.
#include <numbers>

#include "weft/ops/operators.h"

namespace weft {

Node Gelu(Node x) {
  const Node error = Erf(x * (std::numbers::sqrt2 / 2));
  const Node twice_probability = 1.0 + error;
  const Node half = 0.5 * x;
  return half * twice_probability;
}

}  // namespace weft
