// The explicit table of every op.
#pragma once

#include <span>
#include <string_view>

#include "weft/graph/op.h"

namespace weft {

extern const OpDef kConstant, kPlaceholder, kVariable, kRandomState, kElementCount;
extern const OpDef kAdd, kSubtract, kMultiply, kDivide, kMinimum, kMaximum, kNegate, kAbs, kSquare, kSqrt, kExp, kLog,
    kExpm1, kLog1p;
extern const OpDef kSigmoid, kTanh, kErf, kRelu, kLeakyRelu, kElu, kSoftplus, kCompare, kSelect, kCast;
extern const OpDef kReduceSum, kReduceMax;
extern const OpDef kBroadcastTo, kReshape, kTranspose, kSlice, kConcatenate;
extern const OpDef kMatMul;
extern const OpDef kRandomUniform, kRandomNormal, kTruncatedNormal;
extern const OpDef kStopGradient, kByMode;
extern const OpDef kSigmoidCrossEntropy;

std::span<const OpDef* const> AllOps();  // in the order above

// The op of that name, for readers of graph files; nullptr if there is none.
const OpDef* FindOp(std::string_view name);

}  // namespace weft
