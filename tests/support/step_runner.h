// Runs the steps of one op by its lowering rule alone: no compiler, no session, blocks in any order, in guarded memory.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "weft/graph/op.h"
#include "weft/tests/support/guarded_memory.h"

namespace weft {

struct StepOrder {
  uint32_t blocks_per_call = UINT32_MAX;
  bool backwards = false;
};

// Where the buffers lie, and how the matrices in them.
struct StepMemory {
  Side side = Side::kEnd;
  std::vector<Layout> layouts = {};  // of the operands; none: row-major, all of them
  Layout result_layout = Layout::kRowMajor;
};

// The result of an InSteps op, row-major. Each buffer has its padded size and lies at an unreadable page; paddings,
// what fills up panels, and fresh memory are full of NaN. Throws if anything is written on the other side of a buffer.
Tensor RunSteps(const OpDef& op, std::span<const Tensor> operands, const Attributes& attributes,
                const TensorType& result, const StepOrder& order = {}, const StepMemory& memory = {});

}  // namespace weft
