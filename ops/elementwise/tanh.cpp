// Tanh(x) = E/(E + 2) with E = e^2|x| − 1, under the sign of x.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"
#include "weft/ops/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void TanhBlock(const BlockArguments& block) {
  Map<1>(block, [](auto d, auto x) HWY_ATTR {
    const auto magnitude = AtMost(d, hn::Abs(x), 20);  // tanh 20 rounds to 1 in f64
    const auto e = ExponentialMinus1(d, hn::Add(magnitude, magnitude));
    return hn::CopySignToAbs(hn::Div(e, hn::Add(e, Fill(d, 2))), x);
  });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"
#include "weft/ops/operators.h"

namespace weft {
using std::tanh;
HWY_EXPORT(TanhBlock);

constinit const OpDef kTanh = {
    .name = "Tanh",
    .arity = 1,
    .type = ElementwiseType,
    .formula = [](auto x) { return tanh(x); },
    // d tanh/dx = 1 − tanh²
    .gradient = [](const GradientContext& c) -> Contributions {
      return {c.output_gradient() * (1.0 - Square(c.output()))};
    },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(TanhBlock)
      (block);
    }},
    .samples =
        [] {
          return ElementwiseSamples(1, {{-3, 3}}, 2);
        },
    .traits = {.vector_cycles = 45},
};

Node Tanh(Node x) { return Elementwise(kTanh, {x}); }

}  // namespace weft
#endif
