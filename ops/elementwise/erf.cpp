// Erf(x) = 2/√π·∫₀ˣ e^−t² dt, as x + x·P(x²) up to 1 and ±(1 − e^−(t + t·Q(t))), t = |x|, beyond.
//
// P and Q are minimax polynomials of erf(x)/x − 1 and −log(erfc t)/t − 1 (Remez exchange in 70 digits), weighted for
// the relative error of erf: below 3·10⁻⁹ in f32, 8·10⁻¹⁸ in f64. The form is that of N. Juffa's erff. Beyond 4 (f32)
// and 6 (f64) erf rounds to 1.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"
#include "weft/ops/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void ErfBlock(const BlockArguments& block) {
  Map<1>(block, [](auto d, auto x) HWY_ATTR {
    constexpr bool kSingle = sizeof(hn::TFromD<decltype(d)>) == 4;
    const auto magnitude = hn::Abs(x);
    const auto t = AtMost(d, magnitude, kSingle ? 4 : 6);
    const auto square = hn::Mul(x, x);
    decltype(x) p, q;
    if constexpr (kSingle) {
      p = Polynomial(d, square, 0.128379166, -0.37612626, 0.112835854, -0.0268538147, 0.00518833054, -0.000801020244,
                     7.85384982e-05);
      q = Polynomial(d, t, 0.128480032, 0.635831535, 0.105116084, -0.0227984153, 0.00318692788, -0.000210640355);
    } else {
      p = Polynomial(d, square, 0.12837916709551256, -0.37612638903183521, 0.112837916709442, -0.026866170643113415,
                     0.005223977606130842, -0.00085483259297662443, 0.0001205529358693695, -1.4924712439534814e-05,
                     1.6447132699786621e-06, -1.6206318752969208e-07, 1.3710988704190523e-08, -7.7794629717615971e-10);
      q = Polynomial(d, t, 0.12837911086665288, 0.63662025259841248, 0.1027708274337015, -0.019124965633906806,
                     -0.00021203466144878192, 0.0016926055627350725, -0.00057465630600041207, -9.7677422366746715e-07,
                     9.5487820689717874e-05, -5.6039206299860404e-05, 2.0351653795968938e-05, -5.3853394752477564e-06,
                     1.0781519982941083e-06, -1.6302808939423269e-07, 1.8131234683758887e-08, -1.4024583654542266e-09,
                     6.7449036898442723e-11, -1.5188699125269465e-12);
    }
    const auto inner = hn::MulAdd(x, p, x);
    const auto outer = hn::Sub(Fill(d, 1), Exponential(d, hn::Neg(hn::MulAdd(t, q, t))));
    return hn::IfThenElse(hn::Lt(magnitude, Fill(d, 1)), inner, hn::CopySignToAbs(outer, x));
  });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>
#include <numbers>

#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"
#include "weft/ops/operators.h"

namespace weft {
using std::erf;
HWY_EXPORT(ErfBlock);

constinit const OpDef kErf = {
    .name = "Erf",
    .arity = 1,
    .type = ElementwiseType,
    .formula = [](auto x) { return erf(x); },
    // d erf/dx = 2/√π·e^−x²
    .gradient = [](const GradientContext& c) -> Contributions {
      const Node slope = 2 * std::numbers::inv_sqrtpi * Exp(-Square(c.operand(0)));
      return {c.output_gradient() * slope};
    },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(ErfBlock)
      (block);
    }},
    .samples =
        [] {
          return ElementwiseSamples(1, {{-3, 3}}, 2);
        },
    .traits = {.vector_cycles = 65},
};

Node Erf(Node x) { return Elementwise(kErf, {x}); }

}  // namespace weft
#endif
