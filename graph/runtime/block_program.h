// The interpreter of fused groups: it calls the same kernels that run unfused, over blocks that stay in the L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>

#include "weft/graph/compile/blocks.h"
#include "weft/graph/compile/program.h"

namespace weft {

// The memory of a run: buffers[id] is the address of buffer `id`.
using BufferAddresses = std::span<std::byte* const>;

// Blocks [begin, end) of a step of kind kBlocks.
void RunBlocks(const BlockProgram& program, BufferAddresses buffers, uint32_t begin, uint32_t end);

// Blocks [begin, end) of a step of kind kReduction.
void RunReduction(const Step& step, BufferAddresses buffers, uint32_t begin, uint32_t end);

// What leaves a fused group one of whose kernels threw.
struct KernelThrew {
  NodeId node;
  std::exception_ptr cause;
};

// Not initialised.
struct StripMemory {
  alignas(kAlignment) std::byte bytes[kStripMemoryBytes];
};

// The chain of a step over one piece of its matrices: all rows, where the chain needs them.
void RunChain(const Step& step, BufferAddresses buffers, std::byte* strips, const Piece& piece);

// The bytes of the step's chain_streams that belong to a piece, which is a panel's; returns how many were filled in.
size_t ChainStreams(const Step& step, BufferAddresses buffers, const Piece& piece, std::span<Stream> streams);

// Strips [begin, end) of a step of kind kStrips.
void RunStrips(const Step& step, BufferAddresses buffers, uint32_t begin, uint32_t end);

}  // namespace weft
