// Formulas: what an op computes, in plain loops over numbers of any kind. Over f64 they are the oracle of all kernels;
// over complex numbers, of all gradient rules: the imaginary part of f(x + ih) is h times the slope of f, right to the
// last places, since nothing is subtracted.
#pragma once

#include <cmath>
#include <compare>
#include <concepts>
#include <span>
#include <type_traits>
#include <variant>
#include <vector>

#include "weft/graph/attributes.h"
#include "weft/graph/shape.h"
#include "weft/graph/tensor.h"

namespace weft {

// Ordered by its real part: a formula with branches takes the one of its real operand.
struct Complex {
  double re = 0, im = 0;

  constexpr Complex() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a real number is a complex number
  constexpr Complex(double real, double imaginary = 0) : re(real), im(imaginary) {}
  constexpr explicit operator double() const { return re; }

  constexpr Complex& operator+=(Complex b) { return *this = *this + b; }  // this + b
  friend constexpr Complex operator-(Complex a) { return {-a.re, -a.im}; }
  friend constexpr Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
  friend constexpr Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
  friend constexpr Complex operator*(Complex a, Complex b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
  }
  friend Complex operator/(Complex a, Complex b);
  friend constexpr bool operator==(Complex a, Complex b) { return a.re == b.re; }
  friend constexpr auto operator<=>(Complex a, Complex b) { return a.re <=> b.re; }

  friend bool isnan(Complex z) { return std::isnan(z.re); }
  friend Complex abs(Complex z) { return z.re < 0 ? -z : z; }
  friend Complex sqrt(Complex z);
  friend Complex exp(Complex z);
  friend Complex expm1(Complex z);
  friend Complex log(Complex z);
  friend Complex log1p(Complex z);
  friend Complex tanh(Complex z);
  friend Complex erf(Complex z);
};

// A tensor of numbers of any kind.
template <class Number>
struct Values {
  explicit Values(const Shape& of) : shape(of), elements(static_cast<size_t>(ElementCount(of))) {}  // zeros

  Shape shape;
  std::vector<Number> elements;
};

// A function of numbers, written once with `auto` for what they are, or of tensors of them:
//
//   [](auto x) { return exp(x); }
//   [](auto x, const Attributes&, const TensorType& result) { … }     x: std::span<const Values<Number>>
//
// or a function of f64 tensors alone: no slope passes through it, as its result does not move with its operands, or is
// not to.
class Reference {
 public:
  using Fixed = Tensor (*)(std::span<const Tensor> operands, const Attributes&, const TensorType& result);
  template <class Number>
  struct Over {
    using Unary = Number (*)(Number);
    using Binary = Number (*)(Number, Number);
    using Ternary = Number (*)(Number, Number, Number);
    using WithAttributes = Number (*)(Number, const Attributes&);
    using General = Values<Number> (*)(std::span<const Values<Number>>, const Attributes&, const TensorType& result);
    using Function = std::variant<Fixed, Unary, Binary, Ternary, WithAttributes, General>;
  };

  // In this order: a generic lambda must not be asked for what it cannot compile.
  template <class F, class Number>
  static constexpr bool kTakes =
      std::disjunction_v<std::is_invocable<F, Number>, std::is_invocable<F, Number, Number>,
                         std::is_invocable<F, Number, Number, Number>, std::is_invocable<F, Number, const Attributes&>,
                         std::is_invocable<F, std::span<const Values<Number>>, const Attributes&, const TensorType&>>;

  template <class F>
  requires(kTakes<F, double> || std::convertible_to<F, Fixed>)
      // NOLINTNEXTLINE(google-explicit-constructor): a formula is written as a lambda
      constexpr Reference(F f)
      : real_(As<double>(f)), complex_(As<Complex>(f)) {}

  template <class Number>
  constexpr const typename Over<Number>::Function& over() const {
    if constexpr (std::same_as<Number, double>) return real_;
    else return complex_;
  }

 private:
  // The first signature that `f` has.
  template <class Number, class F>
  static constexpr typename Over<Number>::Function As(F f) {
    if constexpr (std::is_invocable_v<F, Number>) return static_cast<typename Over<Number>::Unary>(f);
    else if constexpr (std::is_invocable_v<F, Number, Number>) return static_cast<typename Over<Number>::Binary>(f);
    else if constexpr (std::is_invocable_v<F, Number, Number, Number>)
      return static_cast<typename Over<Number>::Ternary>(f);
    else if constexpr (std::is_invocable_v<F, Number, const Attributes&>)
      return static_cast<typename Over<Number>::WithAttributes>(f);
    else if constexpr (kTakes<F, Number>) return static_cast<typename Over<Number>::General>(f);
    else if constexpr (std::convertible_to<F, Fixed>) return static_cast<Fixed>(f);
    else return Fixed{};
  }

  Over<double>::Function real_;
  Over<Complex>::Function complex_;  // the null function if it is of real numbers alone
};

}  // namespace weft
