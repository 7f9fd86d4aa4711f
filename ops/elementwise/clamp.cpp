// Clamp(x, low, high) = min(max(x, low), high), built of other ops. Ties go to x: its gradient is 1 at both ends too.
#include <fmt/format.h>

#include "weft/graph/error.h"
#include "weft/ops/ops.h"

namespace weft {

Node Clamp(Node x, double low, double high) {
  if (!(low <= high)) {
    const std::string name = Escaped(x.name().str());
    throw GraphError(fmt::format("Clamp of '{}': got low = {} and high = {}, expected low <= high", name, low, high));
  }
  const Node raised = Maximum(x, Constant(x.graph(), low, x.dtype()));
  return Minimum(raised, Constant(x.graph(), high, x.dtype()));
}

}  // namespace weft
