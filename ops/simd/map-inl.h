// Map: one loop over whole vectors, for every elementwise kernel. Compiled once for each SIMD target.
#if defined(WEFT_OPS_SIMD_MAP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_OPS_SIMD_MAP_INL_H_
#undef WEFT_OPS_SIMD_MAP_INL_H_
#else
#define WEFT_OPS_SIMD_MAP_INL_H_
#endif

#include "hwy/highway.h"
#include "weft/graph/kernel.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// `value` in every lane.
template <class D>
HWY_INLINE hn::Vec<D> Fill(D d, double value) {
  return hn::Set(d, static_cast<hn::TFromD<D>>(value));
}

template <class T, size_t kInputs, class Function>
HWY_INLINE void MapAs(const BlockArguments& block, const Function& function) {
  const hn::CappedTag<T, 64 / sizeof(T)> d;
  const T* in[kInputs];
  size_t stride[kInputs];
  for (size_t k = 0; k < kInputs; ++k) {
    in[k] = static_cast<const T*>(block.inputs[k].data);
    stride[k] = block.inputs[k].stride;
  }
  T* const out = static_cast<T*>(block.outputs[0]);
  for (size_t i = 0; i < block.count; i += hn::Lanes(d)) {
    const auto load = [&](size_t k) HWY_ATTR { return hn::LoadU(d, in[k] + i * stride[k]); };
    if constexpr (kInputs == 1) hn::StoreU(function(d, load(0)), d, out + i);
    if constexpr (kInputs == 2) hn::StoreU(function(d, load(0), load(1)), d, out + i);
    if constexpr (kInputs == 3) hn::StoreU(function(d, load(0), load(1), load(2)), d, out + i);
  }
}

// function(d, x …) → vector, applied to every element in f32 or f64. Works in whole vectors past `count`.
template <size_t kInputs, class Function>
HWY_INLINE void Map(const BlockArguments& block, const Function& function) {
  if (block.dtype == DType::kFloat32) MapAs<float, kInputs>(block, function);
  else MapAs<double, kInputs>(block, function);
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // the include guard that toggles for each target
