// Exponentials and logarithms in f32 and f64: at most 1 ulp from the correctly rounded result (eˣ − 1: 2), subnormals
// kept, NaN, ±∞ and ±0 as IEEE 754 has them.
//
// Highway's own turn NaN into numbers and log 0 into −105, and their eˣ − 1 is off by 4 ulp near ½·ln 2: hence these.
// Every rounding is written, so the bits are the same on all targets that have FMA, and on all that have none.
#if defined(WEFT_OPS_SIMD_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_OPS_SIMD_MATH_INL_H_
#undef WEFT_OPS_SIMD_MATH_INL_H_
#else
#define WEFT_OPS_SIMD_MATH_INL_H_
#endif

#include <limits>

#include "weft/ops/simd/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// ln 2 = high + low: `high` ends in so many zeros that its product with any exponent is exact.
template <class T>
inline constexpr T kLn2High = T(0.693359375);  // 355/512
template <>
inline constexpr double kLn2High<double> = 0x1.62e42feep-1;  // 33 bits
template <class T>
inline constexpr T kLn2Low = T(-2.12194440054690583e-4);  // ln 2 − 355/512
template <>
inline constexpr double kLn2Low<double> = 1.90821492927058770e-10;

// c₀ + c₁·x + c₂·x² + …
template <class D, class... Rest>
HWY_INLINE hn::Vec<D> Polynomial(D d, hn::Vec<D> x, double c0, Rest... rest) {
  if constexpr (sizeof...(rest) == 0) return Fill(d, c0);
  else return hn::MulAdd(Polynomial(d, x, rest...), x, Fill(d, c0));
}

// The smaller and the larger of x and a number; NaN stays NaN.
template <class D>
HWY_INLINE hn::Vec<D> AtMost(D d, hn::Vec<D> x, double high) {
  return hn::IfThenElse(hn::Gt(x, Fill(d, high)), Fill(d, high), x);
}
template <class D>
HWY_INLINE hn::Vec<D> AtLeast(D d, hn::Vec<D> x, double low) {
  return hn::IfThenElse(hn::Lt(x, Fill(d, low)), Fill(d, low), x);
}

// eˣ = 2^q₁·2^q₂·(1 + p). Two factors: one alone leaves the range where eˣ is subnormal or near the largest number.
template <class V>
struct SplitExponential {
  V p, power1, power2, inverse_power2;  // e^r − 1, 2^q₁, 2^q₂, 2^−q₂
};

// r = x − q·ln 2, |r| ≤ ½·ln 2; e^r − 1 by its Taylor series: what is left out is below 2⁻²⁶·r (f32), 2⁻⁵⁶·r (f64).
template <class D, class V = hn::Vec<D>>
HWY_INLINE SplitExponential<V> Split(D d, V x) {
  using T = hn::TFromD<D>;
  const hn::RebindToSigned<D> di;
  using Integer = hn::TFromD<decltype(di)>;
  constexpr bool kSingle = sizeof(T) == 4;
  constexpr int kBits = hwy::MantissaBits<T>();
  constexpr Integer kBias = hwy::MaxExponentField<T>() >> 1;

  x = AtMost(d, AtLeast(d, x, kSingle ? -104 : -746), kSingle ? 89 : 710);  // beyond: 0 and ∞
  const V magic = Fill(d, 1.5 * static_cast<double>(Integer{1} << kBits));  // its last place is 1: adding it rounds
  const V shifted = hn::MulAdd(x, Fill(d, 1.44269504088896340736), magic);  // 1/ln 2
  const V quotient = hn::Sub(shifted, magic);
  V r = hn::NegMulAdd(quotient, hn::Set(d, kLn2High<T>), x);
  r = hn::NegMulAdd(quotient, hn::Set(d, kLn2Low<T>), r);

  V series;  // (e^r − 1 − r)/r²
  if constexpr (kSingle) {
    series = Polynomial(d, r, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040);
  } else {
    series = Polynomial(d, r, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880,
                        1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800);
  }
  const auto power = [&](auto exponent) HWY_ATTR {
    return hn::BitCast(d, hn::ShiftLeft<kBits>(hn::Add(exponent, hn::Set(di, kBias))));
  };
  const auto q = hn::Sub(hn::BitCast(di, shifted), hn::BitCast(di, magic));
  const auto q1 = hn::ShiftRight<1>(q);
  const auto q2 = hn::Sub(q, q1);
  const V p = hn::MulAdd(hn::Mul(r, r), series, r);
  return {.p = p, .power1 = power(q1), .power2 = power(q2), .inverse_power2 = power(hn::Neg(q2))};
}

// eˣ
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Exponential(D d, V x) {
  const SplitExponential<V> e = Split(d, x);
  return hn::Mul(hn::Mul(hn::Add(e.p, Fill(d, 1)), e.power1), e.power2);
}

// eˣ − 1 = 2^q₂·(2^q₁·p + (2^q₁ − 2^−q₂)): one rounding where the result is small.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ExponentialMinus1(D d, V x) {
  const SplitExponential<V> e = Split(d, x);
  const V result = hn::Mul(hn::MulAdd(e.p, e.power1, hn::Sub(e.power1, e.inverse_power2)), e.power2);
  return hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, result);  // −0
}

// log(y·2^shift) + correction, a small one. y = 2^k·m with m in [√½, √2), f = m − 1, s = f/(2 + f), and
// log m = f − f²/2 + s·(f²/2 + R(s²)): the polynomials R are those of FreeBSD's e_log.c and e_logf.c.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V CorrectedLogarithm(D d, V y, V shift, V correction) {
  using T = hn::TFromD<D>;
  const hn::RebindToSigned<D> di;
  const hn::RebindToUnsigned<D> du;
  constexpr int kBits = hwy::MantissaBits<T>();
  const auto one = hn::BitCast(du, Fill(d, 1));
  const auto sqrt_half = hn::BitCast(du, Fill(d, 0.70710678118654752440));

  const auto bits = hn::Add(hn::BitCast(du, y), hn::Sub(one, sqrt_half));
  const auto biased = hn::BitCast(di, hn::ShiftRight<kBits>(bits));
  const V k = hn::Add(hn::ConvertTo(d, hn::Sub(biased, hn::Set(di, hwy::MaxExponentField<T>() >> 1))), shift);
  const auto mantissa = hn::And(bits, hn::Set(du, hwy::MantissaMask<T>()));
  const V f = hn::Sub(hn::BitCast(d, hn::Add(mantissa, sqrt_half)), Fill(d, 1));
  const V s = hn::Div(f, hn::Add(f, Fill(d, 2)));
  const V z = hn::Mul(s, s);
  V series;
  if constexpr (sizeof(T) == 4) {  // |error| < 2^−34.24
    series = Polynomial(d, z, 0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841);
  } else {  // |error| < 2^−58.45
    series = Polynomial(d, z, 6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
                        2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01,
                        1.479819860511658591e-01);
  }
  const V half_square = hn::Mul(hn::Mul(f, f), Fill(d, 0.5));
  const V low = hn::MulAdd(s, hn::MulAdd(z, series, half_square), hn::MulAdd(k, hn::Set(d, kLn2Low<T>), correction));
  const V result = hn::MulSub(k, hn::Set(d, kLn2High<T>), hn::Sub(hn::Sub(half_square, low), f));

  const V zero = hn::Zero(d);
  const V infinity = Fill(d, std::numeric_limits<double>::infinity());
  const V nan = Fill(d, std::numeric_limits<double>::quiet_NaN());
  const V positive = hn::IfThenElse(hn::Lt(y, infinity), result, y);  // or NaN
  return hn::IfThenElse(hn::Le(y, zero), hn::IfThenElse(hn::Eq(y, zero), hn::Neg(infinity), nan), positive);
}

// log x
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Logarithm(D d, V x) {
  using T = hn::TFromD<D>;
  constexpr int kShift = hwy::MantissaBits<T>() + 2;
  const auto subnormal = hn::Lt(x, hn::Set(d, std::numeric_limits<T>::min()));
  const V y = hn::IfThenElse(subnormal, hn::Mul(x, Fill(d, static_cast<double>(int64_t{1} << kShift))), x);
  return CorrectedLogarithm(d, y, hn::IfThenElseZero(subnormal, Fill(d, -kShift)), hn::Zero(d));
}

// log(1 + x): what the sum loses comes back as a correction, log(y + e) = log y + e/y.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Logarithm1Plus(D d, V x) {
  const V one = Fill(d, 1);
  const V y = hn::Add(x, one);
  const V lost = hn::Sub(x, hn::Sub(y, one));
  return hn::IfThenElse(hn::Eq(y, one), x, CorrectedLogarithm(d, y, hn::Zero(d), hn::Div(lost, y)));
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // the include guard that toggles for each target
