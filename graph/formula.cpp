// Functions of complex numbers. None but erf uses a derivative: what they are compared with is one.
#include "weft/graph/formula.h"

#include <complex>
#include <numbers>

namespace weft {
namespace {

std::complex<double> Standard(Complex z) { return {z.re, z.im}; }
Complex Ours(std::complex<double> z) { return {z.real(), z.imag()}; }

}  // namespace

Complex operator/(Complex a, Complex b) { return Ours(Standard(a) / Standard(b)); }
Complex sqrt(Complex z) { return Ours(std::sqrt(Standard(z))); }
Complex exp(Complex z) { return Ours(std::exp(Standard(z))); }
Complex log(Complex z) { return Ours(std::log(Standard(z))); }
Complex tanh(Complex z) { return Ours(std::tanh(Standard(z))); }

// e^(x+iy) − 1 = (eˣ − 1)·cos y − (1 − cos y) + i·eˣ·sin y, 1 − cos y = 2·sin²(y/2)
Complex expm1(Complex z) {
  const double half = std::sin(z.im / 2);
  return {std::expm1(z.re) * std::cos(z.im) - 2 * half * half, std::exp(z.re) * std::sin(z.im)};
}

// |1 + z|² = (1 + x)²·(1 + t²) with t = y/(1 + x)
Complex log1p(Complex z) {
  const double t = z.im / (1 + z.re);
  return {std::log1p(z.re) + std::log1p(t * t) / 2, std::atan2(z.im, 1 + z.re)};
}

// erf is an integral, 2/√π·∫e^−t² dt, and from x on along iy it is here that of a constant: right for a small y.
Complex erf(Complex z) { return {std::erf(z.re), 2 * std::numbers::inv_sqrtpi * std::exp(-z.re * z.re) * z.im}; }

}  // namespace weft
