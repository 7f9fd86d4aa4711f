// A normal deviate from two words of random bits, by Box and Muller: √(−2·ln u) · cos α with u in (0, 1) and an angle
// α. In f64, always finite: u ≥ 2⁻⁵³, so no value is beyond ±8.6.
#if defined(WEFT_OPS_SIMD_NORMAL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_OPS_SIMD_NORMAL_INL_H_
#undef WEFT_OPS_SIMD_NORMAL_INL_H_
#else
#define WEFT_OPS_SIMD_NORMAL_INL_H_
#endif

#include "hwy/highway.h"
#include "weft/ops/simd/philox-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Σ coefficients[i]·xⁱ by Horner's rule.
template <class D, class V, size_t kCount>
HWY_INLINE V Polynomial(D d, V x, const double (&coefficients)[kCount]) {
  V sum = hn::Set(d, coefficients[kCount - 1]);
  for (size_t i = kCount - 1; i-- > 0;) sum = hn::MulAdd(sum, x, hn::Set(d, coefficients[i]));
  return sum;
}

// ln u for a normal number u > 0: u = 2ᵉ·m with m in [√½, √2), ln m = 2·artanh s = 2·(s + s³/3 + s⁵/5 + …), s = (m −
// 1)/(m + 1). s² ≤ 0.0295, so the first term left out, s²⁰/21, is below 2⁻⁵⁴ of the sum.
template <class D, class V>
HWY_INLINE V LogOf(D df, V u) {
  const hn::RebindToUnsigned<D> d;
  const auto bits = hn::BitCast(d, u);
  const auto fraction = hn::And(bits, hn::Set(d, 0x000FFFFFFFFFFFFFu));
  const V whole = hn::BitCast(df, hn::Or(fraction, hn::Set(d, 0x3FF0000000000000u)));  // in [1, 2)
  const auto above = hn::Gt(whole, hn::Set(df, 1.4142135623730951));
  const V m = hn::IfThenElse(above, hn::Mul(whole, hn::Set(df, 0.5)), whole);
  // 2⁵² + the biased exponent, as a number, without a conversion.
  const V biased = hn::BitCast(df, hn::Or(hn::ShiftRight<52>(bits), hn::Set(d, 0x4330000000000000u)));
  const V e = hn::Add(hn::Sub(biased, hn::Set(df, 0x1p52 + 1023)), hn::IfThenElseZero(above, hn::Set(df, 1.0)));
  const V s = hn::Div(hn::Sub(m, hn::Set(df, 1.0)), hn::Add(m, hn::Set(df, 1.0)));
  constexpr double kArtanh[] = {2.0,      2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,
                                2.0 / 11, 2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19};
  const V log_m = hn::Mul(s, Polynomial(df, hn::Mul(s, s), kArtanh));
  return hn::MulAdd(e, hn::Set(df, 0.69314718055994531), log_m);  // e·ln 2 + ln m
}

// cos α of a random angle: bits 12 … 63 are a place x in (−π/4, π/4); bit 0 takes cos x or sin x, bit 1 the sign, which
// are the cosines of x and its three turns by π/2. Taylor's series; x² ≤ 0.617, so the terms left out, x¹⁹/19! and
// x¹⁸/18!, are below 2⁻⁵⁴ of the sums.
template <class D, class V>
HWY_INLINE hn::Vec<hn::RebindToFloat<D>> CosineOf(D d, V bits) {
  const hn::RebindToFloat<D> df;
  // exact, and as often > 0 as < 0
  const auto place = hn::Add(hn::Sub(UnitOf(d, bits), hn::Set(df, 0.5)), hn::Set(df, 0x1p-53));
  const auto x = hn::Mul(place, hn::Set(df, 1.5707963267948966));
  const auto x2 = hn::Mul(x, x);
  // ±1/1!, 1/3!, … 1/17! and ±1/0!, 1/2!, … 1/16!
  constexpr double kSine[] = {1.0,
                              -1.0 / 6,
                              1.0 / 120,
                              -1.0 / 5040,
                              1.0 / 362880,
                              -1.0 / 39916800,
                              1.0 / 6227020800,
                              -1.0 / 1307674368000,
                              1.0 / 355687428096000};
  constexpr double kCosine[] = {1.0,
                                -1.0 / 2,
                                1.0 / 24,
                                -1.0 / 720,
                                1.0 / 40320,
                                -1.0 / 3628800,
                                1.0 / 479001600,
                                -1.0 / 87178291200,
                                1.0 / 20922789888000};
  const auto sine = hn::Mul(x, Polynomial(df, x2, kSine));
  const auto cosine = Polynomial(df, x2, kCosine);
  const auto odd = hn::RebindMask(df, hn::TestBit(bits, hn::Set(d, uint64_t{1})));
  const auto sign = hn::BitCast(df, hn::ShiftLeft<62>(hn::And(bits, hn::Set(d, uint64_t{2}))));
  return hn::Xor(hn::IfThenElse(odd, sine, cosine), sign);
}

template <class D, class V>
HWY_INLINE hn::Vec<hn::RebindToFloat<D>> NormalOf(D d, const Words<V>& words) {
  const hn::RebindToFloat<D> df;
  const auto u = hn::Add(UnitOf(d, words.first), hn::Set(df, 0x1p-53));  // an odd multiple of 2⁻⁵³: neither 0 nor 1
  const auto radius = hn::Sqrt(hn::Mul(LogOf(df, u), hn::Set(df, -2.0)));
  return hn::Mul(radius, CosineOf(d, words.second));
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // the include guard that toggles for each target
