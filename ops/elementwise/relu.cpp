// Relu(x) = max(x, 0); NaN stays NaN, −0 becomes 0.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void ReluBlock(const BlockArguments& block) {
  Map<1>(block, [](auto d, auto x) HWY_ATTR { return hn::IfThenZeroElse(hn::Le(x, hn::Zero(d)), x); });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"

namespace weft {
HWY_EXPORT(ReluBlock);

constinit const OpDef kRelu = {
    .name = "Relu",
    .arity = 1,
    .type = ElementwiseType,
    .formula = [](auto x) { return x <= 0 ? 0 : x; },
    // 1 where x > 0, else 0: at 0 too
    .gradient = [](const GradientContext& c) -> Contributions {
      const Node zero = Constant(c.output().graph(), 0, c.output().dtype());
      return {Select(Greater(c.output(), zero), c.output_gradient(), zero)};
    },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(ReluBlock)
      (block);
    }},
    .samples = [] { return ElementwiseSamples(1, {{.low = -3, .high = 3, .kinks = {0}}}); },
};

Node Relu(Node x) { return Elementwise(kRelu, {x}); }

}  // namespace weft
#endif
