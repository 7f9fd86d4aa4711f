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

// How the elements of a matrix [rows, columns] lie. kPanels: panels of PanelWidth columns one behind the other, each
// row-major; the last one is filled up, with anything. A vector of columns then lies next to those of the rows around
// it, whatever the number of columns: no stride that is a power of two, and nothing to pack for a product.
enum class Layout : uint8_t { kRowMajor, kPanels };

// Of a row of a panel: two lines of the cache, two vectors of the widest SIMD target.
inline constexpr int64_t kPanelRowBytes = 128;

// Two quotients that are known, since a division would show where blocks are small.
constexpr int64_t PanelWidth(DType dtype) {
  return dtype == DType::kFloat64 ? kPanelRowBytes / int64_t{sizeof(double)} : kPanelRowBytes / int64_t{sizeof(float)};
}

// ---- Elementwise: one block of elements ----------------------------------------------------------------------------

// A block is `rows` × `count` elements; those of a row are neighbours.
struct BlockInput {
  const void* data;
  uint32_t stride;     // 1: an element for each of a row; 0: one that all of a row share
  int64_t row_stride;  // bytes from row to row; 0: all rows read the same
};

struct BlockOutput {
  void* data;
  int64_t row_stride;  // bytes
};

// Rows may be read and written in whole 64-byte vectors past `count`; an output may be one of the inputs.
struct BlockArguments {
  DType dtype;  // kFloat32 or kFloat64, of every operand; a comparison gives 0 or 1 in it
  uint32_t rows;
  uint32_t count;
  std::span<const BlockInput> inputs;
  std::span<const BlockOutput> outputs;
  const Attributes* attributes;
};

using BlockKernel = void (*)(const BlockArguments&);

// ---- Reductions: how a block of a row becomes one value, and how values join ---------------------------------------

struct ReductionKernels {
  // inputs[0]: rows of `count` ≥ 1 elements; outputs[0]: an element a row, its fold over 16 fixed lanes. Reads no
  // element past `count`.
  BlockKernel fold;
  // inputs[0]: rows of `count` elements; outputs[0]: a row of them, each the fold of its column: four rows in a row
  // make a leaf, leaves join pairwise like the carries of a counter.
  BlockKernel fold_down;
  // inputs[0] ∘ inputs[1] → outputs[0], element by element: joins partial results, in a fixed order.
  BlockKernel join;
  double identity;  // the result over nothing
};

// ---- General steps: an op that lowers itself -----------------------------------------------------------------------

// Work on results that are still in the cache: called once with each piece of the step's result [rows, columns], when
// it is final.
struct Piece {
  int64_t row, row_end, column, column_end;
};
struct Stream {
  const std::byte* data;
  int64_t bytes;
};
struct Epilogue {
  void (*run)(const void* context, const Piece& piece);
  // What it will read of a piece beside the result, to be fetched meanwhile; returns how many of `to` it filled.
  size_t (*streams)(const void* context, const Piece& piece, std::span<Stream> to);
  const void* context;
};

// Does a step call its epilogue on every element of its result, and can those pieces be whole columns?
enum class Pieces : uint8_t { kNone, kAny, kWholeColumns };

// A piece of a matrix in panels is whole panels wide, and has at most so many bytes.
inline constexpr int64_t kMaxPieceBytes = int64_t{32} * 1024;

struct StepArguments {
  std::span<const std::byte* const> reads;  // as the lowering rule listed them; 64-byte aligned and padded
  std::span<std::byte* const> writes;
  std::span<const int64_t> numbers;  // whatever sizes and strides the lowering rule recorded
  DType dtype;                       // of the op's result
  const Attributes* attributes;      // of the op's node
  const Epilogue* epilogue;          // nullptr, unless the step said that it accepts one and has one
  // Nobody but the epilogue reads the result: each piece takes the place of the one before, at writes[0], as
  // [panel][row of the piece][column].
  bool is_result_strip;
};

// Does the blocks [begin, end) of a step. Blocks are independent of each other and of who runs them.
using StepFunction = void (*)(const StepArguments&, uint32_t begin, uint32_t end);

}  // namespace weft
