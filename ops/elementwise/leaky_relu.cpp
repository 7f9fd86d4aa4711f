// LeakyRelu(x) = x for x > 0, else slope·x.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void LeakyReluBlock(const BlockArguments& block) {
  const double slope = block.attributes->Get<double>("slope");
  Map<1>(block, [slope](auto d, auto x)
                    HWY_ATTR { return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), x, hn::Mul(Fill(d, slope), x)); });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"
#include "weft/ops/operators.h"

namespace weft {
HWY_EXPORT(LeakyReluBlock);

constinit const OpDef kLeakyRelu = {
    .name = "LeakyRelu",
    .arity = 1,
    .type = [](const TypeContext& context) -> TensorType {
      context.Require(std::isfinite(context.attributes().Get<double>("slope")), "slope is not finite");
      return ElementwiseType(context);
    },
    .formula = [](auto x, const Attributes& attributes) { return x > 0 ? x : attributes.Get<double>("slope") * x; },
    // 1 where x > 0, else slope: at 0 too
    .gradient = [](const GradientContext& c) -> Contributions {
      const Node g = c.output_gradient();
      const Node zero = Constant(g.graph(), 0, g.dtype());
      return {Select(Greater(c.operand(0), zero), g, g * c.attributes().Get<double>("slope"))};
    },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(LeakyReluBlock)
      (block);
    }},
    .samples =
        [] {
          const Domain domain = {.low = -3, .high = 3, .kinks = {0}};
          return ElementwiseSamples(1, {domain}, 1, {{{"slope", 0.01}}, {{"slope", 0.2}}});
        },
};

Node LeakyRelu(Node x, double slope) { return Elementwise(kLeakyRelu, {x}, {{"slope", slope}}); }

}  // namespace weft
#endif
