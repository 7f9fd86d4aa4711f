// The explicit table of every op: no registration, no order of initialisation.
#include "weft/ops/all_ops.h"

namespace weft {
namespace {

constexpr const OpDef* kTable[] = {
    &kConstant,
    &kPlaceholder,
    &kVariable,
    &kRandomState,
    &kElementCount,
    &kAdd,
    &kSubtract,
    &kMultiply,
    &kDivide,
    &kMinimum,
    &kMaximum,
    &kNegate,
    &kAbs,
    &kSquare,
    &kSqrt,
    &kExp,
    &kLog,
    &kExpm1,
    &kLog1p,
    &kSigmoid,
    &kTanh,
    &kErf,
    &kRelu,
    &kLeakyRelu,
    &kElu,
    &kSoftplus,
    &kCompare,
    &kSelect,
    &kCast,
    &kReduceSum,
    &kReduceMax,
    &kBroadcastTo,
    &kReshape,
    &kTranspose,
    &kSlice,
    &kConcatenate,
    &kMatMul,
    &kRandomUniform,
    &kRandomNormal,
    &kTruncatedNormal,
    &kStopGradient,
    &kByMode,
    &kSigmoidCrossEntropy,
};

}  // namespace

std::span<const OpDef* const> AllOps() { return kTable; }

const OpDef* FindOp(std::string_view name) {
  for (const OpDef* op : kTable) {
    if (*op->name == name) return op;
  }
  return nullptr;
}

}  // namespace weft
