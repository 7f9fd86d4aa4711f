// Runs the steps of one op by its lowering rule alone: no compiler, no session, blocks in any order.
#pragma once

#include <cstdint>
#include <span>

#include "weft/graph/op.h"

namespace weft {

struct StepOrder {
  uint32_t blocks_per_call = UINT32_MAX;
  bool backwards = false;
};

// The result of an InSteps op. Memory behind the result's padding is not touched by a correct kernel: throws if it was.
Tensor RunSteps(const OpDef& op, std::span<const Tensor> operands, const Attributes& attributes,
                const TensorType& result, const StepOrder& order = {});

}  // namespace weft
