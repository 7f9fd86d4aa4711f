// Softplus(x) = log(1 + eˣ), computed as max(x, 0) + log(1 + e^−|x|): no overflow for large |x|.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"
#include "weft/ops/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void SoftplusBlock(const BlockArguments& block) {
  Map<1>(block, [](auto d, auto x) HWY_ATTR {
    return hn::Add(AtLeast(d, x, 0), Logarithm1Plus(d, Exponential(d, hn::Neg(hn::Abs(x)))));
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
using std::abs;
using std::exp;
using std::log1p;
HWY_EXPORT(SoftplusBlock);

constinit const OpDef kSoftplus = {
    .name = "Softplus",
    .arity = 1,
    .type = ElementwiseType,
    .formula = [](auto x) { return (x < 0 ? 0 : x) + log1p(exp(-abs(x))); },
    // d/dx log(1 + eˣ) = σ(x)
    .gradient = [](const GradientContext& c) -> Contributions { return {c.output_gradient() * Sigmoid(c.operand(0))}; },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(SoftplusBlock)
      (block);
    }},
    .samples =
        [] {
          return ElementwiseSamples(1, {{-5, 5}}, 3);
        },
    .traits = {.vector_cycles = 80},
};

Node Softplus(Node x) { return Elementwise(kSoftplus, {x}); }

}  // namespace weft
#endif
