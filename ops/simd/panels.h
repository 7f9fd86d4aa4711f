// The shape of a matrix product's work: operands, panels, chunks of the depth, and blocks of panels.
// Nothing here depends on the SIMD target, so neither plans nor results do.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "weft/graph/kernel.h"

namespace weft {

// Columns of a panel: the width of the widest target's register tile.
template <class T>
inline constexpr int64_t kPanelWidth = kPanelRowBytes / int64_t{sizeof(T)};

// The depth is the axis of the sum. Where the right operand must be packed, it is worked through in chunks of at most
// so many steps: a panel's chunk (64 KiB) stays in the L2 while the rows of a block pass by. Sums wait in the result
// between chunks, so their order is that of one long loop.
inline constexpr int64_t kChunkDepth = 512;

// The same for products of few rows, which pack several panels.
inline constexpr int64_t kStripDepth = 128;

// Rows of a block: the left operand of so many, up to 1 MiB, and a panel of the right one stay in the L2.
inline constexpr int64_t kBlockRowPanels = 8;
static_assert(kBlockRowPanels * kPanelWidth<float> * kPanelRowBytes <= kMaxPieceBytes);

// Products of so few rows, or columns, use each element of the other operand only that often: packing it does not pay.
inline constexpr int64_t kFewRows = 4;
// Columns of a block of few rows, where both operands lie in panels, and where they do not.
inline constexpr int64_t kFewRowsPanels = 2;
inline constexpr int64_t kBlockColumnPanels = 4;

// Panels packed as one block of work: side by side where their rows are neighbours, one by one where they are
// transposed.
constexpr int64_t PanelsPerPacking(bool depth_is_inner) { return depth_is_inner ? 1 : kBlockColumnPanels; }

// Pieces of a size that cover a length.
constexpr int64_t PieceCount(int64_t length, int64_t piece) { return (length + piece - 1) / piece; }

// Where a panel's columns from `column` on begin, in panels [panel][depth][width].
template <class T>
constexpr int64_t PanelOffset(int64_t column, int64_t depth) {
  const int64_t inside = column % kPanelWidth<T>;
  return (column - inside) * depth + inside;
}

// An operand as a matrix [depth, n]: element (k, i) is element (i, k) of what is stored if that is transposed. Stored
// are [rows, columns], row-major or in panels.
template <class T>
struct ProductOperand {
  const T* data;
  int64_t rows, columns;
  bool transposed;
  Layout layout;

  bool in_panels() const { return layout == Layout::kPanels; }
  const T& at(int64_t k, int64_t i) const {
    const int64_t row = transposed ? i : k, column = transposed ? k : i;
    return data[in_panels() ? PanelOffset<T>(column, rows) + row * kPanelWidth<T> : row * columns + column];
  }
};

// result[rows, columns] = leftᵀ · right; the result is row-major without gaps, or in panels.
template <class T>
struct MatrixProduct {
  ProductOperand<T> left;   // [depth, rows]
  ProductOperand<T> right;  // [depth, columns]
  int64_t rows, columns, depth;
  T* result;
  Layout layout;
  const Epilogue* epilogue;  // nullptr: none
  bool is_strip;             // of the result there is room for one block, in panels
};

// The chunks: of nearly equal length, in whole cache lines of f32; one of length 0 where there is nothing to sum.
struct DepthChunks {
  explicit constexpr DepthChunks(int64_t whole) : depth(whole) {
    const int64_t fewest = std::max<int64_t>(1, PieceCount(depth, kStripDepth));
    length = std::max<int64_t>(1, PieceCount(PieceCount(depth, fewest), 16)) * 16;
  }
  constexpr int64_t count() const { return std::max<int64_t>(1, PieceCount(depth, length)); }
  constexpr int64_t begin(int64_t chunk) const { return std::min(depth, chunk * length); }

  int64_t depth, length;
};

// A piece of the result.
struct BlockRange {
  int64_t row, row_end, column, column_end;
};

// How the panels of the result are cut into blocks, the units of work. Neighbours share their rows: those stay in the
// L2 while the right operand passes by.
struct BlockGrid {
  int64_t rows, columns, width;
  int64_t row_blocks, column_blocks;

  constexpr int64_t blocks() const { return row_blocks * column_blocks; }
  constexpr BlockRange range(int64_t block) const {
    const int64_t r = block / column_blocks, c = block % column_blocks;
    const int64_t row_panels = PieceCount(rows, width), column_panels = PieceCount(columns, width);
    return {.row = row_panels * r / row_blocks * width,
            .row_end = std::min(rows, row_panels * (r + 1) / row_blocks * width),
            .column = column_panels * c / column_blocks * width,
            .column_end = std::min(columns, column_panels * (c + 1) / column_blocks * width)};
  }
};

// A block is one panel wide, and has so many rows that a step has enough to share out; one of few rows is wider, as
// what a block costs by itself would show.
constexpr BlockGrid CutIntoBlocks(int64_t rows, int64_t columns, int64_t width) {
  const int64_t row_panels = PieceCount(rows, width), column_panels = rows <= kFewRows ? kFewRowsPanels : 1;
  return {.rows = rows,
          .columns = columns,
          .width = width,
          .row_blocks = std::max<int64_t>(1, PieceCount(row_panels, kBlockRowPanels)),
          .column_blocks = std::max<int64_t>(1, PieceCount(columns, column_panels * width))};
}

}  // namespace weft
