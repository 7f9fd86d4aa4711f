// Fold: a run of elements to one value over 16 fixed lanes, the same bits on every SIMD target.
//
// Lane l folds the elements l, l + 16, l + 32, …; then lanes l and l + 8 join, l and l + 4, l + 2, l + 1. A target with
// narrower vectors keeps the 16 lanes in several registers. So the order of operations never depends on the target.
#if defined(WEFT_OPS_SIMD_REDUCE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_OPS_SIMD_REDUCE_INL_H_
#undef WEFT_OPS_SIMD_REDUCE_INL_H_
#else
#define WEFT_OPS_SIMD_REDUCE_INL_H_
#endif

#include "hwy/highway.h"
#include "weft/graph/kernel.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

inline constexpr size_t kFoldLanes = 16;

template <class T, class Join>
HWY_INLINE T FoldAs(const T* values, size_t count, T identity, const Join& join) {
  const hn::CappedTag<T, kFoldLanes> d;
  const size_t n = hn::Lanes(d);
  HWY_ALIGN T lanes[kFoldLanes];
  for (T& lane : lanes) lane = identity;
  const size_t whole = count / kFoldLanes * kFoldLanes;
  for (size_t l = 0; l < kFoldLanes && whole > 0; l += n) {
    auto sum = hn::LoadU(d, values + l);
    for (size_t i = kFoldLanes; i < whole; i += kFoldLanes) sum = join(d, sum, hn::LoadU(d, values + i + l));
    hn::Store(sum, d, lanes + l);
  }
  if (whole < count) {
    HWY_ALIGN T tail[kFoldLanes];
    for (size_t l = 0; l < kFoldLanes; ++l) tail[l] = whole + l < count ? values[whole + l] : identity;
    for (size_t l = 0; l < kFoldLanes; l += n) hn::Store(join(d, hn::Load(d, lanes + l), hn::Load(d, tail + l)), d, lanes + l);
  }
  const hn::CappedTag<T, 1> one;
  for (size_t half = kFoldLanes / 2; half > 0; half /= 2) {
    for (size_t l = 0; l < half; ++l) hn::Store(join(one, hn::Load(one, lanes + l), hn::Load(one, lanes + l + half)), one, lanes + l);
  }
  return lanes[0];
}

// The kernel `fold` of a reduction: join(d, a, b) → vector.
template <class Join>
HWY_INLINE void Fold(const BlockArguments& block, double identity, const Join& join) {
  const auto fold = [&](auto typed) HWY_ATTR {
    using T = decltype(typed);
    *static_cast<T*>(block.outputs[0]) = FoldAs(static_cast<const T*>(block.inputs[0].data), block.count, static_cast<T>(identity), join);
  };
  if (block.dtype == DType::kFloat32) fold(float{});
  else fold(double{});
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // the include guard that toggles for each target
