// Complex numbers as formulas use them, and what a formula may be.
#include "weft/graph/formula.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace weft {
namespace {

void ExpectNear(Complex got, Complex expected, const std::string& what) {
  const double bound = 4e-15 * std::max(1.0, std::hypot(expected.re, expected.im));
  EXPECT_NEAR(got.re, expected.re, bound) << what;
  EXPECT_NEAR(got.im, expected.im, bound) << what;
}

// Far from the real line, where a wrong formula shows.
TEST(Complex, FunctionsAreThoseOfComplexAnalysis) {
  for (const Complex z : {Complex{0.5, 1.25}, Complex{-0.75, 0.5}, Complex{2, -1}, Complex{1e-3, 1e-3}}) {
    const std::string at = std::to_string(z.re) + " + " + std::to_string(z.im) + "i";
    ExpectNear(exp(log(z)), z, "exp(log z) at " + at);
    ExpectNear(expm1(z) + 1, exp(z), "expm1 at " + at);
    ExpectNear(exp(log1p(z)), z + 1, "log1p at " + at);
    ExpectNear(sqrt(z) * sqrt(z), z, "sqrt at " + at);
    ExpectNear(tanh(z), (exp(2 * z) - 1) / (exp(2 * z) + 1), "tanh at " + at);
    ExpectNear(z / Complex{3, -2} * Complex{3, -2}, z, "quotient at " + at);
  }
}

TEST(Complex, ImaginaryPartIsTheSlope) {
  constexpr double kStep = 1e-20;
  const auto slope = [](Complex z) { return z.im / kStep; };
  for (const double x : {0.25, 1.5, 3.0}) {
    const Complex z = {x, kStep};
    EXPECT_NEAR(slope(exp(z)) / std::exp(x), 1, 1e-15);
    EXPECT_NEAR(slope(expm1(z)) / std::exp(x), 1, 1e-15);
    EXPECT_NEAR(slope(log(z)) * x, 1, 1e-15);
    EXPECT_NEAR(slope(log1p(z)) * (1 + x), 1, 1e-15);
    EXPECT_NEAR(slope(sqrt(z)) * 2 * std::sqrt(x), 1, 1e-15);
    EXPECT_NEAR(slope(tanh(z)) * std::pow(std::cosh(x), 2), 1, 2e-15);
    EXPECT_NEAR(slope(erf(z)) * std::sqrt(std::acos(-1.0)) / 2 * std::exp(x * x), 1, 2e-15);
    EXPECT_NEAR(slope(1 / z) * x * x, -1, 1e-15);
    EXPECT_EQ(slope(abs(-z)), 1);
  }
}

TEST(Complex, IsOrderedByItsRealPart) {
  const Complex one = {1, 5}, two = {2, -5}, nan = {std::numeric_limits<double>::quiet_NaN(), 0};
  EXPECT_LT(one, two);
  EXPECT_TRUE(one > 0 && one == 1 && one != two && !(nan < 1) && !(nan >= 1));
  EXPECT_TRUE(isnan(nan) && !isnan(one));
  EXPECT_EQ(static_cast<double>(two), 2);
}

TEST(Reference, HasSlopesIfItIsOverAnyNumber) {
  using OverReals = Reference::Over<double>;
  using OverComplex = Reference::Over<Complex>;
  constexpr Reference any = [](auto a, auto b) { return a * b; };
  static_assert(std::holds_alternative<OverReals::Binary>(any.over<double>()));
  static_assert(std::holds_alternative<OverComplex::Binary>(any.over<Complex>()));
  constexpr Reference real = [](double x) { return x; };
  static_assert(std::holds_alternative<OverReals::Unary>(real.over<double>()));
  static_assert(std::holds_alternative<Reference::Fixed>(real.over<Complex>()));
  constexpr Reference general = [](auto x, const Attributes&, const TensorType&) { return x[0]; };
  static_assert(std::holds_alternative<OverReals::General>(general.over<double>()));
  static_assert(std::holds_alternative<OverComplex::General>(general.over<Complex>()));
  constexpr Reference fixed = [](std::span<const Tensor> x, const Attributes&, const TensorType&) { return x[0]; };
  static_assert(std::holds_alternative<Reference::Fixed>(fixed.over<double>()));
  EXPECT_EQ(std::get<OverReals::Binary>(any.over<double>())(3, 4), 12);
}

}  // namespace
}  // namespace weft
