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
#include <limits>
#include <span>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "weft/ops/simd/pack-inl.h"
#include "weft/ops/simd/panels.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Rows of a register tile of two vectors: 16 registers hold 6 × 2 sums, 2 vectors of the right operand and 1 of the
// left, 32 hold 14 × 2. Without a fused MulAdd the arithmetic is the limit, and 4 × 2 sums in flight are enough.
#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3
inline constexpr int64_t kRegisters = 16;
inline constexpr int64_t kTileRows = HWY_TARGET > HWY_AVX2 ? 4 : 6;
#else
inline constexpr int64_t kRegisters = 32;
inline constexpr int64_t kTileRows = 14;
#endif

// Steps of the depth that all rows of a block pass before the next ones. Tiles of 16 registers load almost as often as
// they multiply, and read columns again for every 6 rows: 128 steps of a panel of rows (16 KiB) and of two vectors of
// columns (8 KiB) stay in the L1, and products are up to a tenth faster. Tiles of 32 registers lose by it: what is
// saved goes into writing the sums and reading them again.
inline constexpr int64_t kReadyDepth = kRegisters == 16 ? 128 : std::numeric_limits<int64_t>::max();
inline constexpr int64_t kPackedDepth = std::min(kChunkDepth, kReadyDepth);

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

// How the rows of a tile lie in the left operand: element (k, r) in runs of `run` steps of the depth.
//   kDown:   at[k · width + r], one run: panels of rows
//   kAcross: at[k / width · jump + r · width + k % width]: panels along the depth
//   kFew:    at[k · kFewRows + r], one run: packed for few rows
enum class Walk { kDown, kAcross, kFew };

template <class T>
struct LeftRows {
  const T* data;
  int64_t jump = 0;  // elements from run to run
};

// The register of a value is not free before this. With 16 of them GCC lets sums move into what is free, and the loop
// of a tile gets instructions that do nothing but move.
template <class V>
HWY_INLINE void KeepUntilHere([[maybe_unused]] V value) {
#if HWY_COMPILER_GCC_ACTUAL && HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3 && HWY_TARGET <= HWY_SSSE3
  asm volatile("" ::"x"(value.raw));
#endif
}

// target[r, v lanes …] = Σ left(k, r) · right[k * right_stride + v lanes …] for k in [0, depth).
// A function of its own, so that the compiler gives it all registers.
template <int64_t kRows, int64_t kVectors, Walk kWalk, class D, class T = hn::TFromD<D>>
HWY_NOINLINE void MultiplyTile(D d, const LeftRows<T>& rows, const T* HWY_RESTRICT right, int64_t right_stride,
                               int64_t depth, const TileTarget<T>& target, LineWalk& fetch_from) {
  constexpr int64_t kWidth = kPanelWidth<T>;
  constexpr int64_t kRowStep = kWalk == Walk::kAcross ? kWidth : 1;
  constexpr int64_t kDepthStep = kWalk == Walk::kDown ? kWidth : kWalk == Walk::kAcross ? 1 : kFewRows;
  // Steps of the depth in a round of the loop, which fetches one line. A round is one basic block: across two the
  // compiler puts sums into memory. Short code is fast: a tile of 14 × 2 gains a tenth by 2 instead of 4.
  constexpr int64_t kSteps = kRows * kVectors > 16 ? 2 : 4;
  LineWalk fetch = fetch_from;  // in registers
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
      const V row = hn::Set(d, a[r * kRowStep]);
#pragma GCC unroll kUnroll
      for (int64_t v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(row, columns[v], sum[r][v]);
      if constexpr (kRows > 1) KeepUntilHere(row);
    }
    if constexpr (kRows > 1) {  // of one row, multiply-adds read the columns themselves
#pragma GCC unroll kUnroll
      for (int64_t v = 0; v < kVectors; ++v) KeepUntilHere(columns[v]);
    }
  };
  const T* HWY_RESTRICT run = rows.data;
  for (int64_t left_over = depth; left_over > 0; run += rows.jump) {
    const int64_t length = kWalk == Walk::kAcross ? std::min(kWidth, left_over) : left_over;
    left_over -= length;
    const T* HWY_RESTRICT left = run;
    for (int64_t rounds = length / kSteps; rounds > 0;) {
      LineRun lines = fetch.Next(rounds, left);
      rounds -= lines.count;
      for (; lines.count > 0; --lines.count) {
        hwy::Prefetch(lines.first);
        lines.first += lines.step;
#pragma GCC unroll kUnroll
        for (int64_t s = 0; s < kSteps; ++s) step(left + s * kDepthStep, right + s * right_stride);
        left += kSteps * kDepthStep;
        right += kSteps * right_stride;
      }
    }
#pragma GCC unroll 1
    for (int64_t k = length % kSteps; k > 0; --k) {
      step(left, right);
      left += kDepthStep;
      right += right_stride;
    }
  }
  fetch_from = fetch;

#pragma GCC unroll kUnroll
  for (int64_t r = 0; r < kRows; ++r) {
#pragma GCC unroll kUnroll
    for (int64_t v = 0; v < kVectors; ++v) hn::StoreU(sum[r][v], d, to + r * stride + v * LaneCount(d));
  }
}

// MultiplyTile for a number of rows ≤ kMaxRows that is known only now.
template <int64_t kMaxRows, int64_t kVectors, Walk kWalk, class D, class T = hn::TFromD<D>>
HWY_INLINE void MultiplyRows(int64_t rows, D d, const LeftRows<T>& left, const T* right, int64_t depth,
                             const TileTarget<T>& target, LineWalk& fetch) {
  if constexpr (kMaxRows > 1) {
    if (rows < kMaxRows) return MultiplyRows<kMaxRows - 1, kVectors, kWalk>(rows, d, left, right, depth, target, fetch);
  }
  MultiplyTile<kMaxRows, kVectors, kWalk>(d, left, right, kPanelWidth<T>, depth, target, fetch);
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

template <class T>
void Finish(const MatrixProduct<T>& product, const BlockRange& range) {
  if (product.epilogue == nullptr || range.column == range.column_end || range.row == range.row_end) return;
  product.epilogue->run(product.epilogue->context, {range.row, range.row_end, range.column, range.column_end});
}

template <class T>
void FetchForEpilogue(const MatrixProduct<T>& product, const BlockRange& range, Fetches& fetches) {
  if (product.epilogue == nullptr) return;
  Stream streams[Fetches::kMost];
  const size_t count =
      product.epilogue->streams(product.epilogue->context, {range.row, range.row_end, range.column, range.column_end},
                                std::span<Stream>(streams));
  for (size_t i = 0; i < count; ++i) fetches.Add({streams[i].data, streams[i].bytes});
}

// The rows of a tile from depth `k` on, which is a multiple of the panels' width.
template <class T>
LeftRows<T> RowsOf(const ProductOperand<T>& left, int64_t row, int64_t k) {
  return {&left.at(k, row), left.transposed ? left.rows * kPanelWidth<T> : 0};
}

// One panel of the result, or what a chunk of the depth adds to it: `left` in panels, `right` the panel of the chunk.
template <Walk kWalk, class T>
void MultiplyPanel(const MatrixProduct<T>& product, const BlockRange& range, T* result, int64_t k, int64_t k_end,
                   const T* right, Fetches& fetches) {
  constexpr int64_t kWidth = kPanelWidth<T>;
  const ProductTag<T> d;
  const bool panels = product.layout == Layout::kPanels;
  const int64_t stride = panels ? kWidth : product.columns;
  HWY_ALIGN T edge[kTileRows * kWidth];
  // Tiles that read panels of rows do not cross them.
  const int64_t span = kWalk == Walk::kDown ? kWidth : range.row_end - range.row;
  for (int64_t row = range.row; row < range.row_end; row += span) {
    // All of a height, or one row less: in 32 bits, where a division is cheap.
    const auto rows = static_cast<uint32_t>(std::min(span, range.row_end - row));
    const auto tiles = static_cast<uint32_t>(PieceCount(rows, kTileRows));
    const uint32_t least = rows / tiles, higher = rows % tiles;
    int64_t count = 0;
    for (int64_t first = 0, tile = 0; tile < tiles; first += count, ++tile) {
      count = least + (tile < higher ? 1 : 0);
      const LeftRows<T> left = RowsOf(product.left, row + first, k);
      for (int64_t column = 0; column < range.column_end - range.column; column += 2 * LaneCount(d)) {
        const int64_t columns = std::min(2 * LaneCount(d), range.column_end - range.column - column);
        const bool narrow = columns <= LaneCount(d), whole = panels || columns % LaneCount(d) == 0;
        const TileTarget<T> target{result + (row + first - range.row) * stride + column, stride, k > 0};
        const TileTarget<T> to = whole ? target : EdgeTarget(target, count, columns, edge);
        LineWalk& fetch = fetches.Current();
        if (narrow) MultiplyRows<kTileRows, 1, kWalk>(count, d, left, right + column, k_end - k, to, fetch);
        else MultiplyRows<kTileRows, 2, kWalk>(count, d, left, right + column, k_end - k, to, fetch);
        if (!whole) StoreEdge(edge, count, columns, target);
      }
    }
  }
}

// What is wanted while the rows of a block pass a panel: the next chunk of its depth; with the last one, what the
// epilogue will read, and the next panel. Few rows leave no time for it, and the processor sees a stream by itself.
template <class T>
Fetches FetchesOf(const MatrixProduct<T>& product, const BlockRange& range, int64_t k, int64_t k_end) {
  Fetches fetches;
  if (range.row_end - range.row <= kFewRows) return fetches;
  const ProductOperand<T>& right = product.right;
  if (k_end < product.depth) {
    fetches.Add(WalkOver(right, k_end, std::min(product.depth, k_end + (k_end - k)), range.column, range.column_end));
    return fetches;
  }
  FetchForEpilogue(product, range, fetches);
  const int64_t next_end = std::min(product.columns, range.column_end + kPanelWidth<T>);
  fetches.Add(WalkOver(right, 0, std::min(product.depth, k_end - k), range.column_end, next_end));
  return fetches;
}

// One panel of a block, which begins at `result`; the left operand is in panels. What the right one is not in is packed
// chunk by chunk.
template <class T>
void MultiplyPanelOf(const MatrixProduct<T>& product, const BlockRange& range, T* result) {
  const ProductOperand<T>& right = product.right;
  const bool lies_ready = right.in_panels() && !right.transposed, few = range.row_end - range.row <= kFewRows;
  const int64_t chunk = !lies_ready ? kPackedDepth : few ? product.depth : std::min(product.depth, kReadyDepth);
  HWY_ALIGN T packed[kPackedDepth * kPanelWidth<T>];
  int64_t k = 0;
  do {
    const int64_t k_end = std::min(product.depth, k + chunk);
    const T* panel = packed;
    if (lies_ready) panel = &right.at(k, range.column);
    else PackPanels(right, k, k_end, range.column, range.column_end, packed);
    Fetches fetches = FetchesOf(product, range, k, k_end);
    if (product.left.transposed) MultiplyPanel<Walk::kAcross>(product, range, result, k, k_end, panel, fetches);
    else MultiplyPanel<Walk::kDown>(product, range, result, k, k_end, panel, fetches);
    k = k_end;
  } while (k < product.depth);
}

template <class T>
void MultiplyBlock(const MatrixProduct<T>& product, const BlockRange& range) {
  constexpr int64_t kWidth = kPanelWidth<T>;
  for (int64_t column = range.column; column < range.column_end; column += kWidth) {
    const int64_t offset = product.is_strip                    ? (column - range.column) * (range.row_end - range.row)
                           : product.layout == Layout::kPanels ? column * product.rows + range.row * kWidth
                                                               : range.row * product.columns + column;
    MultiplyPanelOf(product,
                    {.row = range.row,
                     .row_end = range.row_end,
                     .column = column,
                     .column_end = std::min(range.column_end, column + kWidth)},
                    product.result + offset);
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

// What a chunk of the depth adds to some rows.
template <class T>
struct StripChunk {
  const T* rows;  // [length][kFewRows]
  const T* right;
  int64_t right_stride, length;
  bool resume;
};

// to[r, c] for the columns c < columns, in strips as wide as they fit. The right operand is read where it lies: behind
// the end of a row is the next one, and behind the last one the padding of the buffer.
template <int64_t kRows, int64_t kVectors, class T>
void MultiplyStrips(const StripChunk<T>& chunk, int64_t columns, T* to, int64_t to_stride) {
  const ProductTag<T> d;
  constexpr int64_t kStrip = kVectors * LaneCount(d);
  LineWalk fetch;
  int64_t c = 0;
  for (; c + kStrip <= columns; c += kStrip) {
    MultiplyTile<kRows, kVectors, Walk::kFew>(d, LeftRows<T>{chunk.rows}, chunk.right + c, chunk.right_stride,
                                              chunk.length, TileTarget<T>{to + c, to_stride, chunk.resume}, fetch);
  }
  if (c == columns) return;
  if constexpr (kVectors > 1) {
    StripChunk<T> rest = chunk;
    rest.right += c;
    MultiplyStrips<kRows, kVectors / 2>(rest, columns - c, to + c, to_stride);
  } else {
    HWY_ALIGN T edge[kFewRows * kPanelWidth<T>];
    const TileTarget<T> target{to + c, to_stride, chunk.resume};
    MultiplyTile<kRows, 1, Walk::kFew>(d, LeftRows<T>{chunk.rows}, chunk.right + c, chunk.right_stride, chunk.length,
                                       EdgeTarget(target, kRows, columns - c, edge), fetch);
    StoreEdge(edge, kRows, columns - c, target);
  }
}

// to[r * to_stride + c − column] = (leftᵀ · right)[r, c] for r < kRows and the columns c of at most a block. Nothing is
// packed but the few rows, and a right operand that has not its columns side by side.
template <int64_t kRows, class T>
void MultiplyFewRowsOf(const ProductOperand<T>& left, const ProductOperand<T>& right, int64_t depth, int64_t column,
                       int64_t column_end, T* to, int64_t to_stride) {
  constexpr int64_t kVectors = StripVectors(kRows), kWidth = kPanelWidth<T>;
  const bool lies_ready = !right.transposed && !right.in_panels();
  const DepthChunks chunks(depth);
  HWY_ALIGN T rows[kStripDepth * kFewRows];
  HWY_ALIGN T panels[kBlockColumnPanels * kStripDepth * kWidth];
  for (int64_t index = 0; index < chunks.count(); ++index) {
    const int64_t k = chunks.begin(index), k_end = chunks.begin(index + 1), length = k_end - k;
    for (int64_t r = 0; r < kRows; ++r) {
      for (int64_t i = 0; i < length; ++i) rows[i * kFewRows + r] = left.at(k + i, r);
    }
    const StripChunk<T> plain{rows, &right.at(k, column), right.columns, length, index > 0};
    if (lies_ready) {
      MultiplyStrips<kRows, kVectors>(plain, column_end - column, to, to_stride);
      continue;
    }
    PackPanels(right, k, k_end, column, column_end, panels);
    for (int64_t c = column; c < column_end; c += kWidth) {
      const StripChunk<T> panel{rows, panels + (c - column) * length, kWidth, length, index > 0};
      MultiplyStrips<kRows, std::min(kVectors, kWidth / LaneCount(ProductTag<T>()))>(
          panel, std::min(kWidth, column_end - c), to + c - column, to_stride);
    }
  }
}

template <class T>
void MultiplyFew(const ProductOperand<T>& left, int64_t rows, const ProductOperand<T>& right, int64_t depth,
                 int64_t column, int64_t column_end, T* to, int64_t to_stride) {
  static_assert(kFewRows == 4);
  if (rows == 1) MultiplyFewRowsOf<1>(left, right, depth, column, column_end, to, to_stride);
  if (rows == 2) MultiplyFewRowsOf<2>(left, right, depth, column, column_end, to, to_stride);
  if (rows == 3) MultiplyFewRowsOf<3>(left, right, depth, column, column_end, to, to_stride);
  if (rows == 4) MultiplyFewRowsOf<4>(left, right, depth, column, column_end, to, to_stride);
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
