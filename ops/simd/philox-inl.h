// Philox4x32-10 in vectors, and the loop of every random op. A lane is an element, so neither the width of a vector nor
// the cut into blocks can change a value. The counter's words lie in the low halves of 64-bit lanes: one multiplication
// gives the high and the low half of a product, and what gathers in the upper halves is never read.
#if defined(WEFT_OPS_SIMD_PHILOX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_OPS_SIMD_PHILOX_INL_H_
#undef WEFT_OPS_SIMD_PHILOX_INL_H_
#else
#define WEFT_OPS_SIMD_PHILOX_INL_H_
#endif

#include "hwy/highway.h"
#include "weft/graph/kernel.h"
#include "weft/ops/element_blocks.h"
#include "weft/ops/random/philox.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class V>
struct Words {
  V first, second;  // 64 random bits in each lane
};

// `c0` … `c3`: the counter of each lane, in the low halves of u64.
template <class D, class V = hn::Vec<D>>
HWY_INLINE Words<V> PhiloxOf(D d, V c0, V c1, V c2, V c3, uint64_t key) {
#if HWY_TARGET == HWY_SCALAR
  const hn::Rebind<uint32_t, D> halves;
#else
  const hn::Repartition<uint32_t, D> halves;
#endif
  const auto multiplier0 = hn::Set(halves, kPhiloxMultipliers[0]), multiplier1 = hn::Set(halves, kPhiloxMultipliers[1]);
  uint32_t k0 = LowHalf(key), k1 = HighHalf(key);
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const V p0 = hn::MulEven(hn::BitCast(halves, c0), multiplier0);
    const V p1 = hn::MulEven(hn::BitCast(halves, c2), multiplier1);
    c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c1), hn::Set(d, uint64_t{k0}));
    c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c3), hn::Set(d, uint64_t{k1}));
    c1 = p1;
    c3 = p0;
    k0 += kPhiloxWeyl[0];
    k1 += kPhiloxWeyl[1];
  }
  const V low = hn::Set(d, uint64_t{UINT32_MAX});
  return {hn::Or(hn::And(c0, low), hn::ShiftLeft<32>(c1)), hn::Or(hn::And(c2, low), hn::ShiftLeft<32>(c3))};
}

// The words of neighbouring elements, as often as somebody asks.
template <class D, class V = hn::Vec<D>>
struct Draw {
  V element;
  uint64_t run, key;

  HWY_INLINE Words<V> operator()(uint32_t attempt) const {
    const D d;
    const V high = hn::Or(hn::ShiftRight<32>(element), hn::Set(d, uint64_t{attempt} << kAttemptShift));
    return PhiloxOf(d, element, high, hn::Set(d, uint64_t{LowHalf(run)}), hn::Set(d, uint64_t{HighHalf(run)}), key);
  }
};

// Bits 12 … 63 of each lane as a number: a multiple of 2⁻⁵² in [0, 1).
template <class D, class V>
HWY_INLINE hn::Vec<hn::RebindToFloat<D>> UnitOf(D d, V bits) {
  const hn::RebindToFloat<D> df;
  return hn::Sub(hn::BitCast(df, hn::Or(hn::ShiftRight<12>(bits), hn::Set(d, 0x3FF0000000000000u))), hn::Set(df, 1.0));
}

template <class T, class Make>
HWY_INLINE void FillAs(T* out, ElementRange range, uint64_t run, uint64_t key, const Make& make) {
  const hn::CappedTag<uint64_t, 8> d;
  const hn::Rebind<T, decltype(d)> out_tag;
  for (int64_t e = range.begin; e < range.end; e += static_cast<int64_t>(hn::Lanes(d))) {
    const auto values = make(d, Draw<decltype(d)>{hn::Iota(d, static_cast<uint64_t>(e)), run, key});
    if constexpr (sizeof(T) == sizeof(double)) hn::StoreU(values, out_tag, out + e);
    else hn::StoreU(hn::DemoteTo(out_tag, values), out_tag, out + e);
  }
}

// make(u64 tag, draw) → f64 vector, for every element of the blocks [begin, end); f32 results are those, rounded.
// reads[0] = {seed, run number}; numbers = {elements, StreamHash}.
template <class Make>
HWY_INLINE void FillBlocks(const StepArguments& step, uint32_t begin, uint32_t end, const Make& make) {
  const auto* state = reinterpret_cast<const int64_t*>(step.reads[0]);
  const uint64_t key = RandomKey(static_cast<uint64_t>(state[0]), static_cast<uint64_t>(step.numbers[1]));
  const auto run = static_cast<uint64_t>(state[1]);
  const ElementRange range = ElementsOfBlocks(step.numbers[0], begin, end);
  if (step.dtype == DType::kFloat32) FillAs(reinterpret_cast<float*>(step.writes[0]), range, run, key, make);
  else FillAs(reinterpret_cast<double*>(step.writes[0]), range, run, key, make);
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // the include guard that toggles for each target
