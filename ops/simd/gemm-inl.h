// Matrix products in f32 and f64: register tiles, and the blocks made of them. Compiled once for each SIMD target.
//
// Every element of the result is one sum over the depth, from its first to its last term, each joined by MulAdd: the
// same bits for any cut into tiles, chunks, blocks and batches, and on all targets that have a fused MulAdd.
#if defined(WEFT_OPS_SIMD_GEMM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_OPS_SIMD_GEMM_INL_H_
#undef WEFT_OPS_SIMD_GEMM_INL_H_
#else
#define WEFT_OPS_SIMD_GEMM_INL_H_
#endif

#include <algorithm>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "weft/ops/simd/pack-inl.h"
#include "weft/ops/simd/panels.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Rows of a register tile of two vectors. 16 registers hold 6 × 2 sums, 2 vectors of the right operand and 1 of the
// left. 32 would hold 14 × 2, but three tiles of 11 rows cover a panel of 32 just as 14 + 14 + 4 do, and evenly.
// Without a fused MulAdd the arithmetic is the limit, and 4 × 2 sums in flight are enough.
#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3
inline constexpr int64_t kRegisters = 16;
inline constexpr int64_t kTileRows = HWY_TARGET > HWY_AVX2 ? 4 : 6;
#else
inline constexpr int64_t kRegisters = 32;
inline constexpr int64_t kTileRows = 11;
#endif

// Loops over registers must be unrolled, or the sums lie in memory. The address sanitizer puts them there anyway, and
// would take minutes to compile them unrolled.
#if HWY_IS_ASAN || defined(__SANITIZE_ADDRESS__)
inline constexpr int kUnroll = 1;
#else
inline constexpr int kUnroll = 16;
#endif

// ---- Register tiles ------------------------------------------------------------------------------------------------

// Where a tile's sums go, in whole vectors; with `resume` they go on from what is there.
template <class T>
struct TileTarget {
  T* data;
  int64_t stride;
  bool resume;
};

// target[r, v lanes …] = Σ left[k * kLeftStride + r] · right[k * right_stride + v lanes …] for k in [0, depth).
// A function of its own, so that the compiler gives it all registers.
template <int64_t kRows, int64_t kVectors, int64_t kLeftStride, class D, class T = hn::TFromD<D>>
HWY_NOINLINE void MultiplyTile(D d, const T* HWY_RESTRICT left, const T* HWY_RESTRICT right, int64_t right_stride,
                               int64_t depth, const TileTarget<T>& target, LineWalk& fetch) {
  using V = hn::Vec<D>;
  T* const HWY_RESTRICT to = target.data;
  const int64_t stride = target.stride;
  V sum[kRows][kVectors];
#pragma GCC unroll kUnroll
  for (int64_t r = 0; r < kRows; ++r) {
#pragma GCC unroll kUnroll
    for (int64_t v = 0; v < kVectors; ++v) sum[r][v] = hn::Zero(d);
  }
  if (target.resume) {
#pragma GCC unroll kUnroll
    for (int64_t r = 0; r < kRows; ++r) {
#pragma GCC unroll kUnroll
      for (int64_t v = 0; v < kVectors; ++v) sum[r][v] = hn::LoadU(d, to + r * stride + v * LaneCount(d));
    }
  } else {
    // The lines are in the cache by the time the sums are stored.
    for (int64_t r = 0; r < kRows; ++r) {
      for (int64_t v = 0; v < kVectors; ++v) hwy::Prefetch(to + r * stride + v * LaneCount(d));
    }
  }

  const auto step = [&sum, d](const T* HWY_RESTRICT a, const T* HWY_RESTRICT b) HWY_ATTR {
    V columns[kVectors];
#pragma GCC unroll kUnroll
    for (int64_t v = 0; v < kVectors; ++v) columns[v] = hn::LoadU(d, b + v * LaneCount(d));
#pragma GCC unroll kUnroll
    for (int64_t r = 0; r < kRows; ++r) {
      const V row = hn::Set(d, a[r]);
#pragma GCC unroll kUnroll
      for (int64_t v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(row, columns[v], sum[r][v]);
    }
  };
  int64_t k = depth;
  for (; k >= 2; k -= 2) {
    fetch.Step();
    step(left, right);
    step(left + kLeftStride, right + right_stride);
    left += 2 * kLeftStride;
    right += 2 * right_stride;
  }
  if (k > 0) step(left, right);

#pragma GCC unroll kUnroll
  for (int64_t r = 0; r < kRows; ++r) {
#pragma GCC unroll kUnroll
    for (int64_t v = 0; v < kVectors; ++v) hn::StoreU(sum[r][v], d, to + r * stride + v * LaneCount(d));
  }
}

// MultiplyTile for a number of rows ≤ kMaxRows that is known only now.
template <int64_t kMaxRows, int64_t kVectors, int64_t kLeftStride, class D, class T = hn::TFromD<D>>
HWY_INLINE void MultiplyRows(int64_t rows, D d, const T* left, const T* right, int64_t right_stride, int64_t depth,
                             const TileTarget<T>& target, LineWalk& fetch) {
  if constexpr (kMaxRows > 1) {
    if (rows < kMaxRows) {
      MultiplyRows<kMaxRows - 1, kVectors, kLeftStride>(rows, d, left, right, right_stride, depth, target, fetch);
      return;
    }
  }
  MultiplyTile<kMaxRows, kVectors, kLeftStride>(d, left, right, right_stride, depth, target, fetch);
}

// Where columns end inside a tile's vectors, what lies behind them may be another block's: such a tile works on a copy.
template <class T>
TileTarget<T> EdgeTarget(const TileTarget<T>& target, int64_t rows, int64_t columns, T* copy) {
  for (int64_t r = 0; r < rows && target.resume; ++r) {
    std::copy_n(target.data + r * target.stride, columns, copy + r * kPanelWidth<T>);
  }
  return {copy, kPanelWidth<T>, target.resume};
}

template <class T>
void StoreEdge(const T* copy, int64_t rows, int64_t columns, const TileTarget<T>& target) {
  for (int64_t r = 0; r < rows; ++r) std::copy_n(copy + r * kPanelWidth<T>, columns, target.data + r * target.stride);
}

// ---- Blocks --------------------------------------------------------------------------------------------------------

// Runs the epilogue over a finished piece of the result.
template <class T>
void Finish(const MatrixProduct<T>& product, const BlockRange& range) {
  if (product.epilogue == nullptr || range.column == range.column_end) return;
  for (int64_t row = range.row; row < range.row_end; ++row) {
    product.epilogue->run(product.epilogue->context, row, range.column,
                          static_cast<uint32_t>(range.column_end - range.column));
  }
}

// One chunk of one block: `left` are the product's panels from the chunk's first row on, `right` the block's, of the
// chunk.
template <class T>
void MultiplyChunk(const MatrixProduct<T>& product, const BlockRange& range, const T* left, const T* right,
                   int64_t depth, bool resume, LineWalk& fetch) {
  constexpr int64_t kWidth = kPanelWidth<T>;
  const ProductTag<T> d;
  HWY_ALIGN T edge[kTileRows * kWidth];
  for (int64_t column = range.column; column < range.column_end; column += 2 * LaneCount(d)) {
    const int64_t columns = std::min(2 * LaneCount(d), range.column_end - column);
    const bool narrow = columns <= LaneCount(d), whole = columns % LaneCount(d) == 0;
    const T* const panel = right + PanelOffset<T>(column - range.column, depth);
    for (int64_t row = range.row; row < range.row_end; row += kWidth) {
      const int64_t rows = std::min(kWidth, range.row_end - row), tiles = PieceCount(rows, kTileRows);
      for (int64_t tile = 0; tile < tiles; ++tile) {
        const int64_t first = rows * tile / tiles, count = rows * (tile + 1) / tiles - first;
        const TileTarget<T> target{product.result + (row + first) * product.columns + column, product.columns, resume};
        const TileTarget<T> to = whole ? target : EdgeTarget(target, count, columns, edge);
        const T* const a = left + row * product.depth + first;
        if (narrow) MultiplyRows<kTileRows, 1, kWidth>(count, d, a, panel, kWidth, depth, to, fetch);
        else MultiplyRows<kTileRows, 2, kWidth>(count, d, a, panel, kWidth, depth, to, fetch);
        if (!whole) StoreEdge(edge, count, columns, target);
      }
    }
  }
}

// A block of the grid; `left_panels` are all panels of the left operand. Packs its own columns of the right one, chunk
// by chunk: while one is multiplied, the next comes into the cache.
template <class T>
void MultiplyBlock(const MatrixProduct<T>& product, const T* left_panels, const BlockGrid& grid, int64_t block) {
  constexpr int64_t kWidth = kPanelWidth<T>;
  const BlockRange range = grid.range(block);
  const DepthChunks chunks(product.depth);
  HWY_ALIGN T right[kBlockColumnPanels * kChunkDepth * kWidth];
  for (int64_t chunk = 0; chunk < chunks.count(); ++chunk) {
    const int64_t k = chunks.begin(chunk), k_end = chunks.begin(chunk + 1);
    PackPanels(product.right, k, k_end, range.column, range.column_end, right);
    LineWalk fetch;
    if (k_end < product.depth) {
      fetch = WalkOver(product.right, k_end, chunks.begin(chunk + 2), range.column, range.column_end);
    } else if (block + 1 < grid.blocks() && grid.range(block + 1).column != range.column) {
      const BlockRange next = grid.range(block + 1);
      fetch = WalkOver(product.right, 0, chunks.begin(1), next.column, next.column_end);
    }
    MultiplyChunk(product, range, left_panels + k * kWidth, right, k_end - k, chunk > 0, fetch);
  }
  Finish(product, range);
}

// ---- Few rows, or few columns --------------------------------------------------------------------------------------

// Vectors of a tile of few rows that reads the right operand where it lies: half of the registers hold sums.
constexpr int64_t StripVectors(int64_t rows) {
  int64_t vectors = 8;
  while (vectors * rows > kRegisters / 2) vectors /= 2;
  return vectors;
}

// to[r * to_stride + c − column] = (leftᵀ · right)[r, c] for r < kRows and the columns c of at most a block. Nothing is
// packed but the few rows, and what the tiles could not read as it lies: ends of rows, and a right operand along the
// depth.
template <int64_t kRows, class T>
void MultiplyStrips(const ProductOperand<T>& left, const ProductOperand<T>& right, int64_t depth, int64_t column,
                    int64_t column_end, T* to, int64_t to_stride) {
  constexpr int64_t kVectors = StripVectors(kRows);
  const ProductTag<T> d;
  const int64_t strip = kVectors * LaneCount(d);
  const int64_t strips_end = right.depth_is_inner ? column : column_end - (column_end - column) % strip;
  const DepthChunks chunks(depth);
  HWY_ALIGN T rows[kChunkDepth * kFewRows];
  HWY_ALIGN T edge[kFewRows * kPanelWidth<T>];
  HWY_ALIGN T panels[kBlockColumnPanels * kChunkDepth * kPanelWidth<T>];
  LineWalk fetch;
  for (int64_t chunk = 0; chunk < chunks.count(); ++chunk) {
    const int64_t k = chunks.begin(chunk), k_end = chunks.begin(chunk + 1), length = k_end - k;
    for (int64_t r = 0; r < kRows; ++r) {
      for (int64_t i = 0; i < length; ++i) rows[i * kFewRows + r] = left.at(k + i, r);
    }
    for (int64_t c = column; c < strips_end; c += strip) {
      const TileTarget<T> target{to + c - column, to_stride, chunk > 0};
      MultiplyTile<kRows, kVectors, kFewRows>(d, rows, right.data + k * right.stride + c, right.stride, length, target,
                                              fetch);
    }
    PackPanels(right, k, k_end, strips_end, column_end, panels);
    for (int64_t c = strips_end; c < column_end; c += 2 * LaneCount(d)) {
      const TileTarget<T> target{to + c - column, to_stride, chunk > 0};
      const T* const panel = panels + PanelOffset<T>(c - strips_end, length);
      const int64_t columns = std::min(2 * LaneCount(d), column_end - c);
      const bool whole = columns == 2 * LaneCount(d);
      const TileTarget<T> to_whole = whole ? target : EdgeTarget(target, kRows, columns, edge);
      MultiplyTile<kRows, 2, kFewRows>(d, rows, panel, kPanelWidth<T>, length, to_whole, fetch);
      if (!whole) StoreEdge(edge, kRows, columns, target);
    }
  }
}

template <class T>
void MultiplyFew(const ProductOperand<T>& left, int64_t rows, const ProductOperand<T>& right, int64_t depth,
                 int64_t column, int64_t column_end, T* to, int64_t to_stride) {
  static_assert(kFewRows == 4);
  if (rows == 1) MultiplyStrips<1>(left, right, depth, column, column_end, to, to_stride);
  if (rows == 2) MultiplyStrips<2>(left, right, depth, column, column_end, to, to_stride);
  if (rows == 3) MultiplyStrips<3>(left, right, depth, column, column_end, to, to_stride);
  if (rows == 4) MultiplyStrips<4>(left, right, depth, column, column_end, to, to_stride);
}

// A block of a product of at most kFewRows rows: some panels of its columns.
template <class T>
void MultiplyFewRows(const MatrixProduct<T>& product, int64_t block) {
  constexpr int64_t kColumns = kBlockColumnPanels * kPanelWidth<T>;
  const BlockRange range = {.row = 0,
                            .row_end = product.rows,
                            .column = block * kColumns,
                            .column_end = std::min(product.columns, (block + 1) * kColumns)};
  MultiplyFew(product.left, product.rows, product.right, product.depth, range.column, range.column_end,
              product.result + range.column, product.columns);
  Finish(product, range);
}

// A block of a product of at most kFewRows columns: the operands change places, and the result is transposed when it is
// done.
template <class T>
void MultiplyFewColumns(const MatrixProduct<T>& product, int64_t block) {
  constexpr int64_t kRows = kBlockColumnPanels * kPanelWidth<T>;
  const BlockRange range = {.row = block * kRows,
                            .row_end = std::min(product.rows, (block + 1) * kRows),
                            .column = 0,
                            .column_end = product.columns};
  HWY_ALIGN T transposed[kFewRows * kRows];
  MultiplyFew(product.right, product.columns, product.left, product.depth, range.row, range.row_end, transposed, kRows);
  for (int64_t row = range.row; row < range.row_end; ++row) {
    T* const to = product.result + row * product.columns;
    for (int64_t c = 0; c < product.columns; ++c) to[c] = transposed[c * kRows + row - range.row];
  }
  Finish(product, range);
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // the include guard that toggles for each target
