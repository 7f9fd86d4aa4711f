// What a kernel receives: addresses, sizes, attributes, and a range of blocks. Nothing of graphs, nothing of threads.
//
// Kernels are noexcept in spirit: everything was checked when the program was compiled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "weft/graph/attributes.h"
#include "weft/graph/dtype.h"

namespace weft {

// Elements of a block: a register of the block interpreter. 1024 f32 are 4 KiB, so eight registers fill an L1 of 32
// KiB.
inline constexpr uint32_t kBlockElements = 1024;

// ---- Elementwise: one block of neighbouring elements --------------------------------------------------------------

struct BlockInput {
  const void* data;
  uint32_t stride;  // 1: `count` elements; 0: one 64-byte vector full of one value
};

// Inputs may be read and outputs written in whole 64-byte vectors past `count`; an output may be one of the inputs.
struct BlockArguments {
  DType dtype;  // kFloat32 or kFloat64, of every operand; a comparison gives 0 or 1 in it
  uint32_t count;
  std::span<const BlockInput> inputs;
  std::span<void* const> outputs;
  const Attributes* attributes;
};

using BlockKernel = void (*)(const BlockArguments&);

// ---- Reductions: how a block of a row becomes one value, and how values join ---------------------------------------

struct ReductionKernels {
  // inputs[0]: `count` ≥ 1 elements; outputs[0]: one element, their fold over 16 fixed lanes. Reads no element past
  // `count`.
  BlockKernel fold;
  // inputs[0] ∘ inputs[1] → outputs[0], element by element: joins the partial results of rows, in a fixed order.
  BlockKernel join;
  double identity;  // the result over nothing
};

// ---- General steps: an op that lowers itself -----------------------------------------------------------------------

// Elementwise work on results that are still in the cache: called with rows and columns of the step's result
// [rows, columns] that are final, `count` ≤ kBlockElements.
struct Epilogue {
  void (*run)(const void* context, int64_t row, int64_t column, uint32_t count);
  const void* context;
};

struct StepArguments {
  std::span<const std::byte* const> reads;  // as the lowering rule listed them; 64-byte aligned and padded
  std::span<std::byte* const> writes;
  std::span<const int64_t> numbers;  // whatever sizes and strides the lowering rule recorded
  DType dtype;                       // of the op's result
  const Attributes* attributes;      // of the op's node
  const Epilogue* epilogue;          // nullptr, unless the step said that it accepts one and has one
};

// Does the blocks [begin, end) of a step. Blocks are independent of each other and of who runs them.
using StepFunction = void (*)(const StepArguments&, uint32_t begin, uint32_t end);

}  // namespace weft
