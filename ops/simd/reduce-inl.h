// Fold: a run of elements to one value over 16 fixed lanes, the same bits on every SIMD target.
//
// Lane l folds the elements l, l + 16, l + 32, …: four in a row make a leaf, leaves join pairwise like the carries of a
// counter. Then lanes l and l + 8 join, l and l + 4, l + 2, l + 1. A target with narrower vectors takes the 16 lanes
// one vector after the other, so the order of operations never depends on it, and the error of a sum grows with the
// logarithm of its length.
#if defined(WEFT_OPS_SIMD_REDUCE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_OPS_SIMD_REDUCE_INL_H_
#undef WEFT_OPS_SIMD_REDUCE_INL_H_
#else
#define WEFT_OPS_SIMD_REDUCE_INL_H_
#endif

#include <cstddef>

#include "hwy/highway.h"
#include "weft/graph/kernel.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

inline constexpr size_t kFoldLanes = 16;

inline constexpr size_t kLeafVectors = 4;

// to = the vectors at values[0], values[stride], … folded: `count` of them, not 0; kVectors such folds side by side.
template <size_t kVectors, class D, class T = hn::TFromD<D>, class Join>
HWY_INLINE void FoldVectors(D d, const T* values, size_t count, size_t stride, const Join& join, T* to) {
  constexpr size_t kLevels = 9;  // blocks have fewer than 4 · 2⁹ vectors
  hn::Vec<D> levels[kLevels][kVectors], sum[kVectors];
  const auto for_vectors = [](const auto& action) HWY_ATTR {
    for (size_t v = 0; v < kVectors; ++v) action(v);
  };
  size_t leaves = 0;
  for (size_t i = 0; i < count; ++leaves) {
    const T* row = values + i++ * stride;
    for_vectors([&](size_t v) HWY_ATTR { sum[v] = hn::LoadU(d, row + v * hn::Lanes(d)); });
    for (size_t k = 1; k < kLeafVectors && i < count; ++k) {
      row = values + i++ * stride;
      for_vectors([&](size_t v) HWY_ATTR { sum[v] = join(d, sum[v], hn::LoadU(d, row + v * hn::Lanes(d))); });
    }
    size_t level = 0;
    for (; (leaves >> level & 1) != 0; ++level)
      for_vectors([&](size_t v) HWY_ATTR { sum[v] = join(d, levels[level][v], sum[v]); });
    for_vectors([&](size_t v) HWY_ATTR { levels[level][v] = sum[v]; });
  }
  size_t level = 0;
  while ((leaves >> level & 1) == 0) ++level;
  for_vectors([&](size_t v) HWY_ATTR { sum[v] = levels[level][v]; });
  for (++level; leaves >> level != 0; ++level) {
    if ((leaves >> level & 1) == 0) continue;
    for_vectors([&](size_t v) HWY_ATTR { sum[v] = join(d, levels[level][v], sum[v]); });
  }
  for_vectors([&](size_t v) HWY_ATTR { hn::StoreU(sum[v], d, to + v * hn::Lanes(d)); });
}

template <class T, class Join>
HWY_INLINE T FoldAs(const T* values, size_t count, T identity, const Join& join) {
  const hn::CappedTag<T, kFoldLanes> d;
  const size_t n = hn::Lanes(d);
  HWY_ALIGN T lanes[kFoldLanes];
  for (T& lane : lanes) lane = identity;
  const size_t whole = count / kFoldLanes * kFoldLanes;
  for (size_t l = 0; l < kFoldLanes && whole > 0; l += n)
    FoldVectors<1>(d, values + l, whole / kFoldLanes, kFoldLanes, join, lanes + l);
  if (whole < count) {
    HWY_ALIGN T tail[kFoldLanes];
    for (size_t l = 0; l < kFoldLanes; ++l) tail[l] = whole + l < count ? values[whole + l] : identity;
    for (size_t l = 0; l < kFoldLanes; l += n)
      hn::Store(join(d, hn::Load(d, lanes + l), hn::Load(d, tail + l)), d, lanes + l);
  }
  const hn::CappedTag<T, 1> one;
  for (size_t half = kFoldLanes / 2; half > 0; half /= 2) {
    for (size_t l = 0; l < half; ++l)
      hn::Store(join(one, hn::LoadU(one, lanes + l), hn::LoadU(one, lanes + l + half)), one, lanes + l);
  }
  return lanes[0];
}

// The kernel `fold` of a reduction: join(d, a, b) → vector.
template <class Join>
HWY_INLINE void Fold(const BlockArguments& block, double identity, const Join& join) {
  const auto fold = [&](auto typed) HWY_ATTR {
    using T = decltype(typed);
    const auto* from = static_cast<const std::byte*>(block.inputs[0].data);
    auto* to = static_cast<std::byte*>(block.outputs[0].data);
    for (uint32_t row = 0; row < block.rows; ++row) {
      *reinterpret_cast<T*>(to) = FoldAs(reinterpret_cast<const T*>(from), block.count, static_cast<T>(identity), join);
      from += block.inputs[0].row_stride;
      to += block.outputs[0].row_stride;
    }
  };
  if (block.dtype == DType::kFloat32) fold(float{});
  else fold(double{});
}

// The kernel `fold_down`.
template <class Join>
HWY_INLINE void FoldDown(const BlockArguments& block, const Join& join) {
  const auto fold = [&](auto typed) HWY_ATTR {
    using T = decltype(typed);
    const hn::CappedTag<T, 64 / sizeof(T)> d;
    const auto* const from = static_cast<const T*>(block.inputs[0].data);
    auto* const to = static_cast<T*>(block.outputs[0].data);
    const size_t stride = static_cast<size_t>(block.inputs[0].row_stride) / sizeof(T);
    size_t i = 0;
    for (; i + hn::Lanes(d) < block.count; i += 2 * hn::Lanes(d))
      FoldVectors<2>(d, from + i, block.rows, stride, join, to + i);
    if (i < block.count) FoldVectors<1>(d, from + i, block.rows, stride, join, to + i);
  };
  if (block.dtype == DType::kFloat32) fold(float{});
  else fold(double{});
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // the include guard that toggles for each target
