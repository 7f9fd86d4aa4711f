// Packing an operand of a matrix product into panels, and fetching it ahead. Compiled once for each SIMD target.
#if defined(WEFT_OPS_SIMD_PACK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_OPS_SIMD_PACK_INL_H_
#undef WEFT_OPS_SIMD_PACK_INL_H_
#else
#define WEFT_OPS_SIMD_PACK_INL_H_
#endif

#include <algorithm>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "weft/ops/simd/panels.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using ProductTag = hn::CappedTag<T, 64 / sizeof(T)>;

template <class D>
constexpr int64_t LaneCount(D d) {
  return static_cast<int64_t>(hn::MaxLanes(d));
}

// One vector of 16-byte pieces: block b of the vector from row b · (lanes of a block).
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> LoadPieces(D d, const T* at, [[maybe_unused]] int64_t stride) {
#if HWY_TARGET != HWY_SCALAR
  if constexpr (LaneCount(D()) * int64_t{sizeof(T)} > 16) {
    const hn::Half<D> half;
    return hn::Combine(d, LoadPieces(half, at + LaneCount(half) * stride, stride), LoadPieces(half, at, stride));
  }
#endif
  return hn::LoadU(d, at);
}

// Columns of a 16-byte piece, as one row of a transposition takes them.
template <class D>
constexpr int64_t PieceColumns(D d) {
  return std::min(LaneCount(d), 16 / int64_t{sizeof(hn::TFromD<D>)});
}

// to[c * to_stride + r] = from[r * stride + c] for r < lanes, c < PieceColumns: interleaving within 128-bit blocks
// only, as the loads have put the rows where they belong.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE void TransposePieces(D d, const T* from, int64_t stride, T* to, [[maybe_unused]] int64_t to_stride) {
  const auto a = LoadPieces(d, from, stride);
#if HWY_TARGET == HWY_SCALAR
  hn::StoreU(a, d, to);
#else
  const auto b = LoadPieces(d, from + stride, stride);
  if constexpr (sizeof(T) == 8) {
    hn::StoreU(hn::InterleaveLower(d, a, b), d, to);
    hn::StoreU(hn::InterleaveUpper(d, a, b), d, to + to_stride);
  } else {
    const hn::RepartitionToWide<D> pairs;
    const auto c = LoadPieces(d, from + 2 * stride, stride), e = LoadPieces(d, from + 3 * stride, stride);
    const auto ab_lower = hn::BitCast(pairs, hn::InterleaveLower(d, a, b)),
               ab_upper = hn::BitCast(pairs, hn::InterleaveUpper(d, a, b));
    const auto ce_lower = hn::BitCast(pairs, hn::InterleaveLower(d, c, e)),
               ce_upper = hn::BitCast(pairs, hn::InterleaveUpper(d, c, e));
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, ab_lower, ce_lower)), d, to);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, ab_lower, ce_lower)), d, to + to_stride);
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, ab_upper, ce_upper)), d, to + 2 * to_stride);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, ab_upper, ce_upper)), d, to + 3 * to_stride);
  }
#endif
}

// Panels of an operand whose columns are neighbours: rows are copied, side by side for all panels.
template <class T>
void CopyToPanels(const T* from, int64_t stride, int64_t depth, int64_t columns, T* to) {
  constexpr int64_t kWidth = kPanelWidth<T>;
  const ProductTag<T> d;
  for (int64_t k = 0; k < depth; ++k) {
    for (int64_t column = 0; column < columns; column += kWidth) {
      const T* const source = from + k * stride + column;
      T* const panel = to + column * depth + k * kWidth;
      if (columns - column >= kWidth) {
        for (int64_t i = 0; i < kWidth; i += LaneCount(d)) hn::Store(hn::LoadU(d, source + i), d, panel + i);
      } else {
        // Buffers are padded by a vector.
        for (int64_t i = 0; i < kWidth; i += LaneCount(d)) {
          const int64_t here = std::min(LaneCount(d), columns - column - i);
          hn::Store(here > 0 ? hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(here)), hn::LoadU(d, source + i))
                             : hn::Zero(d),
                    d, panel + i);
        }
      }
    }
  }
}

// Panels of an operand whose depth is the inner axis: a line of the cache from each row at a time, as power-of-two
// strides leave room for few lines in the L1. Rows that are missing to a whole vector are taken from a tile filled up
// with zeros.
template <class T>
void TransposeToPanels(const T* from, int64_t stride, int64_t depth, int64_t columns, T* to) {
  constexpr int64_t kWidth = kPanelWidth<T>;
  constexpr int64_t kLine = 64 / int64_t{sizeof(T)};
  const ProductTag<T> d;
  HWY_ALIGN T tile[kLine * kLine];
  for (int64_t k = 0; k < depth; k += kLine) {
    const int64_t k_end = std::min(depth, k + kLine);
    for (int64_t i = 0; i < PieceCount(columns, kWidth) * kWidth; i += LaneCount(d)) {
      T* const panel = to + (i - i % kWidth) * depth + i % kWidth;
      const T* source = from + i * stride + k;
      int64_t source_stride = stride;
      if (i + LaneCount(d) > columns) {
        std::fill_n(tile, LaneCount(d) * kLine, T{0});
        for (int64_t j = i; j < columns; ++j) std::copy_n(from + j * stride + k, k_end - k, tile + (j - i) * kLine);
        source = tile;
        source_stride = kLine;
      }
      int64_t r = k;
      for (; r + PieceColumns(d) <= k_end; r += PieceColumns(d))
        TransposePieces(d, source + (r - k), source_stride, panel + r * kWidth, kWidth);
      for (; r < k_end; ++r) {
        for (int64_t j = 0; j < LaneCount(d); ++j) panel[r * kWidth + j] = source[j * source_stride + (r - k)];
      }
    }
  }
}

// Rows [k, k_end) of the columns [column, column_end) of an operand, the first one at a panel's edge, as panels
// [panel][k_end − k][width]; what is missing of the last panel is zero.
template <class T>
void PackPanels(const ProductOperand<T>& from, int64_t k, int64_t k_end, int64_t column, int64_t column_end, T* to) {
  constexpr int64_t kWidth = kPanelWidth<T>;
  const int64_t depth = k_end - k, columns = column_end - column;
  if (!from.in_panels()) {
    const T* const first = &from.at(k, column);
    if (from.transposed) TransposeToPanels(first, from.columns, depth, columns, to);
    else CopyToPanels(first, from.columns, depth, columns, to);
    return;
  }
  for (int64_t c = 0; c < columns; c += kWidth, to += depth * kWidth) {
    const int64_t here = std::min(kWidth, columns - c);
    if (!from.transposed) {
      CopyToPanels(&from.at(k, column + c), kWidth, depth, here, to);
      continue;
    }
    // Along the depth there is a panel of the stored matrix after the other.
    for (int64_t at = k; at < k_end;) {
      const int64_t next = std::min(k_end, at - at % kWidth + kWidth);
      TransposeToPanels(&from.at(at, column + c), kWidth, next - at, here, to + (at - k) * kWidth);
      at = next;
    }
  }
}

// Cache lines, so many bytes apart.
struct LineRun {
  const char* first;
  int64_t step, count;
};

// Runs of cache lines that will be read next: asked for one after the other while others are worked on.
struct LineWalk {
  LineWalk() = default;
  LineWalk(const void* first, int64_t run_bytes, int64_t run_count = 1, int64_t run_stride = 0)
      : line(static_cast<const char*>(first)),
        end(line + run_bytes),
        bytes(run_bytes),
        stride(run_stride),
        runs(run_count - 1) {}

  bool is_done() const { return line >= end && runs == 0; }
  // The next lines, at most so many; where none are left, `resident` as often as that: a loop over lines is shorter
  // than one that asks whether there is one.
  HWY_INLINE LineRun Next(int64_t most, const void* resident) {
    if (line >= end) {
      if (runs == 0) return {.first = static_cast<const char*>(resident), .step = 0, .count = most};
      --runs;
      end += stride;
      line = end - bytes;
    }
    const LineRun next = {.first = line, .step = 64, .count = std::min(most, PieceCount(end - line, 64))};
    line += 64 * next.count;
    return next;
  }

  const char* line = nullptr;
  const char* end = nullptr;  // of this run
  int64_t bytes = 0, stride = 0;
  int64_t runs = 0;  // behind this one
};

// Several walks, one after the other.
class Fetches {
 public:
  static constexpr size_t kMost = 8;
  void Add(const LineWalk& walk) {
    if (count_ < kMost && !walk.is_done()) walks_[count_++] = walk;
  }
  // The walk to go on with.
  LineWalk& Current() {
    while (at_ + 1 < count_ && walks_[at_].is_done()) ++at_;
    return walks_[at_];
  }

 private:
  LineWalk walks_[kMost] = {};
  size_t count_ = 0, at_ = 0;
};

// The part of an operand that PackPanels takes for one panel of columns.
template <class T>
LineWalk WalkOver(const ProductOperand<T>& operand, int64_t k, int64_t k_end, int64_t column, int64_t column_end) {
  constexpr int64_t kSize = sizeof(T);
  const int64_t depth = k_end - k, columns = column_end - column;
  if (depth <= 0 || columns <= 0) return {};
  const T* const first = &operand.at(k, column);
  if (operand.in_panels()) {
    if (!operand.transposed) return {first, depth * kPanelRowBytes};
    return {first, columns * kPanelRowBytes, PieceCount(depth, kPanelWidth<T>), operand.rows * kPanelRowBytes};
  }
  const int64_t length = operand.transposed ? depth : columns;
  return {first, length * kSize, operand.transposed ? columns : depth, operand.columns * kSize};
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // the include guard that toggles for each target
