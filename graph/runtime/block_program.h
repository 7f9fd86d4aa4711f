// The interpreter of fused groups: it calls the same kernels that run unfused, over blocks that stay in the L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "weft/graph/compile/program.h"

namespace weft {

// The memory of a run: buffers[id] is the address of buffer `id`.
using BufferAddresses = std::span<std::byte* const>;

// `count` ≤ BlockElements neighbouring elements of one row: a block of a fused group, or of a finished piece of a
// product.
void RunBlock(const BlockProgram& program, BufferAddresses buffers, int64_t row, int64_t column, uint32_t count);

// Blocks [begin, end) of a step of kind kBlocks.
void RunBlocks(const BlockProgram& program, BufferAddresses buffers, uint32_t begin, uint32_t end);

// Blocks [begin, end) of a step of kind kReduction.
void RunReduction(const Step& step, BufferAddresses buffers, uint32_t begin, uint32_t end);

}  // namespace weft
