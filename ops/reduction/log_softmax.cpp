// LogSoftmax(x) = x − log Σ eˣ over the last axis, computed as y − log Σ e^y with y = x − max x: it never overflows.
#include "weft/graph/error.h"
#include "weft/ops/operators.h"
#include "weft/ops/reduction/reduction.h"

namespace weft {

Node LogSoftmax(Node x) {
  const ValueKind kind = x.type().kind;
  if (kind == ValueKind::kProbability || kind == ValueKind::kLogProbability) {
    throw GraphError("LogSoftmax of '" + x.name().str() + "': got " + ToString(x.type()) + ", expected logits");
  }
  const auto axis = static_cast<int64_t>(NormalizedAxis(-1, x.shape().rank()));
  const Attributes run = {{"axis", axis}, {"count", int64_t{1}}};
  // The maximum cancels from the result, so no gradient needs to flow through it.
  const Node max = StopGradient(ReduceMax(x, {axis}));
  const Node y = x - BroadcastOver(max, x, run);
  const Node log_sum = Log(ReduceSum(Exp(y), {axis}));
  const Node result = y - BroadcastOver(log_sum, x, run);
  x.graph().SetKind(result, ValueKind::kLogProbability);
  return result;
}

}  // namespace weft
