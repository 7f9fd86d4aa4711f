// The inputs of AdamStep, in order.
#pragma once

#include <cstdint>

#include "weft/graph/op.h"

namespace weft {

enum AdamStepInput : uint8_t { kBeta1, kM, kRest1, kG, kBeta2, kV, kRest2, kRate, kEpsilon, kW, kAdamStepInputs };

extern const Combination kAdamStep;

}  // namespace weft
