// Map: one loop over whole vectors, for every elementwise kernel. Compiled once for each SIMD target.
#if defined(WEFT_OPS_SIMD_MAP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_OPS_SIMD_MAP_INL_H_
#undef WEFT_OPS_SIMD_MAP_INL_H_
#else
#define WEFT_OPS_SIMD_MAP_INL_H_
#endif

#include <array>
#include <cstddef>
#include <type_traits>

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

// function(x …) of the elements at the addresses, stored at `out`.
template <size_t kInputs, class D, class T = hn::TFromD<D>, class Function>
HWY_INLINE void MapVector(D d, const std::array<const T*, kInputs>& in, T* out, const Function& function) {
  if constexpr (kInputs == 1) hn::StoreU(function(d, hn::LoadU(d, in[0])), d, out);
  if constexpr (kInputs == 2) hn::StoreU(function(d, hn::LoadU(d, in[0]), hn::LoadU(d, in[1])), d, out);
  if constexpr (kInputs == 3)
    hn::StoreU(function(d, hn::LoadU(d, in[0]), hn::LoadU(d, in[1]), hn::LoadU(d, in[2])), d, out);
}

// One or two vectors of each row, from row to row: rows of a panel are two vectors, too few for a loop over them.
// `next` leads to an operand's second vector.
template <size_t kVectors, size_t kInputs, class D, class T = hn::TFromD<D>, class Function>
HWY_INLINE void MapDown(D d, uint32_t rows, std::array<const std::byte*, kInputs> in,
                        const std::array<size_t, kInputs>& next, const std::array<int64_t, kInputs>& step,
                        std::byte* out, int64_t out_step, const Function& function) {
  for (uint32_t row = 0; row < rows; ++row) {
    for (size_t v = 0; v < kVectors; ++v) {
      std::array<const T*, kInputs> at;
      for (size_t k = 0; k < kInputs; ++k) at[k] = reinterpret_cast<const T*>(in[k]) + v * next[k];
      MapVector<kInputs>(d, at, reinterpret_cast<T*>(out) + v * hn::Lanes(d), function);
    }
    for (size_t k = 0; k < kInputs; ++k) in[k] += step[k];
    out += out_step;
  }
}

// One row.
template <size_t kInputs, class D, class T = hn::TFromD<D>, class Function>
HWY_INLINE void MapAlong(D d, const std::array<const T*, kInputs>& in, const std::array<size_t, kInputs>& stride,
                         T* out, size_t count, const Function& function) {
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    std::array<const T*, kInputs> at;
    for (size_t k = 0; k < kInputs; ++k) at[k] = in[k] + i * stride[k];
    MapVector<kInputs>(d, at, out + i, function);
  }
}

template <class T, size_t kInputs, class Function>
HWY_INLINE void MapAs(const BlockArguments& block, const Function& function) {
  const hn::CappedTag<T, 64 / sizeof(T)> d;
  HWY_ALIGN T shared[kInputs][64 / sizeof(T)];  // the one element of a row, repeated
  std::array<const std::byte*, kInputs> row_begin;
  std::array<size_t, kInputs> stride;
  std::array<int64_t, kInputs> row_step;
  bool reshare = false;
  const auto share = [&](size_t k)
                         HWY_ATTR { hn::Store(hn::Set(d, *reinterpret_cast<const T*>(row_begin[k])), d, shared[k]); };
  for (size_t k = 0; k < kInputs; ++k) {
    row_begin[k] = static_cast<const std::byte*>(block.inputs[k].data);
    stride[k] = block.inputs[k].stride;
    row_step[k] = block.inputs[k].row_stride;
    if (stride[k] != 0) continue;
    share(k);
    reshare = reshare || block.inputs[k].row_stride != 0;
  }
  const auto operand = [&](size_t k) {
    return stride[k] != 0 ? row_begin[k] : reinterpret_cast<const std::byte*>(shared[k]);
  };
  auto* out = static_cast<std::byte*>(block.outputs[0].data);
  constexpr size_t kFewBytes = 256;
  if (block.rows > 1 && !reshare && block.count * sizeof(T) <= kFewBytes) {
    std::array<size_t, kInputs> next;
    for (size_t k = 0; k < kInputs; ++k) next[k] = stride[k] * hn::Lanes(d);
    for (size_t i = 0; i < block.count; i += 2 * hn::Lanes(d)) {
      std::array<const std::byte*, kInputs> column;
      for (size_t k = 0; k < kInputs; ++k) column[k] = operand(k) + i * stride[k] * sizeof(T);
      const auto map = [&](auto vectors) HWY_ATTR {
        MapDown<vectors(), kInputs>(d, block.rows, column, next, row_step, out + i * sizeof(T),
                                    block.outputs[0].row_stride, function);
      };
      if (block.count - i > hn::Lanes(d)) map(std::integral_constant<size_t, 2>());
      else map(std::integral_constant<size_t, 1>());
    }
    return;
  }
  for (uint32_t row = 0; row < block.rows; ++row) {
    std::array<const T*, kInputs> in;
    for (size_t k = 0; k < kInputs; ++k) {
      if (row > 0 && stride[k] == 0 && block.inputs[k].row_stride != 0) share(k);
      in[k] = reinterpret_cast<const T*>(operand(k));
      row_begin[k] += block.inputs[k].row_stride;
    }
    MapAlong<kInputs>(d, in, stride, reinterpret_cast<T*>(out), block.count, function);
    out += block.outputs[0].row_stride;
  }
}

// function(d, x …) → vector, applied to every element in f32 or f64. Works in whole vectors past the ends of rows.
template <size_t kInputs, class Function>
HWY_INLINE void Map(const BlockArguments& block, const Function& function) {
  if (block.dtype == DType::kFloat32) MapAs<float, kInputs>(block, function);
  else MapAs<double, kInputs>(block, function);
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // the include guard that toggles for each target
