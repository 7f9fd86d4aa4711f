// Packing an operand of a matrix product into panels. Compiled once for each SIMD target.
#if defined(WEFT_OPS_SIMD_PACK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_OPS_SIMD_PACK_INL_H_
#undef WEFT_OPS_SIMD_PACK_INL_H_
#else
#define WEFT_OPS_SIMD_PACK_INL_H_
#endif

#include <algorithm>

#include "hwy/highway.h"
#include "weft/ops/simd/panels.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using ProductTag = hn::CappedTag<T, 64 / sizeof(T)>;

template <class D>
constexpr int64_t LaneCount(D d) { return static_cast<int64_t>(hn::MaxLanes(d)); }

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
constexpr int64_t PieceColumns(D d) { return std::min(LaneCount(d), 16 / int64_t{sizeof(hn::TFromD<D>)}); }

// to[c * to_stride + r] = from[r * stride + c] for r < lanes, c < PieceColumns: interleaving within 128-bit blocks only, as
// the loads have put the rows where they belong.
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
    const auto ab_lower = hn::BitCast(pairs, hn::InterleaveLower(d, a, b)), ab_upper = hn::BitCast(pairs, hn::InterleaveUpper(d, a, b));
    const auto ce_lower = hn::BitCast(pairs, hn::InterleaveLower(d, c, e)), ce_upper = hn::BitCast(pairs, hn::InterleaveUpper(d, c, e));
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, ab_lower, ce_lower)), d, to);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, ab_lower, ce_lower)), d, to + to_stride);
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, ab_upper, ce_upper)), d, to + 2 * to_stride);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, ab_upper, ce_upper)), d, to + 3 * to_stride);
  }
#endif
}

// Rows [k, k_end) of the columns [column, column_end) of an operand, the first column at a panel's edge, as panels
// [column / width][k][width]; what is missing of the last panel is zero.
template <class T>
void PackPanels(const ProductOperand<T>& from, int64_t k, int64_t k_end, int64_t column, int64_t column_end, T* to) {
  constexpr int64_t kWidth = kPanelWidth<T>;
  const ProductTag<T> d;
  const int64_t depth = k_end - k;
  const auto at = [&from](int64_t row, int64_t c) { return from.data + (from.depth_is_inner ? c * from.stride + row : row * from.stride + c); };

  if (!from.depth_is_inner) {
    for (int64_t row = 0; row < depth; ++row) {
      for (int64_t c = column; c < column_end; c += kWidth) {
        T* const panel = to + (c - column) * depth + row * kWidth;
        const T* const source = at(k + row, c);
        if (column_end - c >= kWidth) {
#pragma GCC unroll 4
          for (int64_t i = 0; i < kWidth; i += LaneCount(d)) hn::Store(hn::LoadU(d, source + i), d, panel + i);
        } else {
          std::fill(std::copy_n(source, column_end - c, panel), panel + kWidth, T{0});
        }
      }
    }
    return;
  }
  // A cache line of each of a panel's rows at a time: power-of-two strides leave room for few lines in the L1.
  constexpr int64_t kLine = 64 / int64_t{sizeof(T)};
  for (int64_t c = column; c < column_end; c += kWidth, to += kWidth * depth) {
    const int64_t width = std::min(kWidth, column_end - c), whole = width / LaneCount(d) * LaneCount(d);
    for (int64_t row = 0; row < depth; row += kLine) {
      const int64_t end = std::min(depth, row + kLine), pieces_end = end - end % PieceColumns(d);
      for (int64_t i = 0; i < whole; i += LaneCount(d)) {
        for (int64_t r = row; r < pieces_end; r += PieceColumns(d)) TransposePieces(d, at(k + r, c + i), from.stride, to + r * kWidth + i, kWidth);
        for (int64_t r = pieces_end; r < end; ++r) {
          for (int64_t j = i; j < i + LaneCount(d); ++j) to[r * kWidth + j] = *at(k + r, c + j);
        }
      }
      for (int64_t r = row; r < end; ++r) {
        for (int64_t i = whole; i < kWidth; ++i) to[r * kWidth + i] = i < width ? *at(k + r, c + i) : T{0};
      }
    }
  }
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // the include guard that toggles for each target
