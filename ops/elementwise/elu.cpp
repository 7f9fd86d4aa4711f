// Elu(x) = x for x > 0, else alpha·(eˣ − 1).

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"
#include "weft/ops/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void EluBlock(const BlockArguments& block) {
  const double alpha = block.attributes->Get<double>("alpha");
  Map<1>(block, [alpha](auto d, auto x) HWY_ATTR {
    return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), x, hn::Mul(Fill(d, alpha), ExponentialMinus1(d, x)));
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
using std::expm1;
HWY_EXPORT(EluBlock);

constinit const OpDef kElu = {
    .name = "Elu",
    .arity = 1,
    .type = [](const TypeContext& context) -> TensorType {
      context.Require(std::isfinite(context.attributes().Get<double>("alpha")), "alpha is not finite");
      return ElementwiseType(context);
    },
    .formula = [](auto x, const Attributes& a) { return x > 0 ? x : a.Get<double>("alpha") * expm1(x); },
    // 1 where x > 0, else alpha·eˣ = y + alpha: at 0 too. Not by eˣ, which is ∞ for large x, and 0·∞ would be NaN.
    .gradient = [](const GradientContext& c) -> Contributions {
      const Node g = c.output_gradient();
      const Node zero = Constant(g.graph(), 0, g.dtype());
      return {Select(Greater(c.operand(0), zero), g, g * (c.output() + c.attributes().Get<double>("alpha")))};
    },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(EluBlock)
      (block);
    }},
    .samples =
        [] {
          const Domain domain = {.low = -3, .high = 3, .kinks = {0}};
          return ElementwiseSamples(1, {domain}, 3, {{{"alpha", 1.0}}, {{"alpha", 0.3}}});
        },
    .traits = {.vector_cycles = 30},
};

Node Elu(Node x, double alpha) { return Elementwise(kElu, {x}, {{"alpha", alpha}}); }

}  // namespace weft
#endif
