// Negate(x) = −x: turns the sign bit, of 0 and NaN too.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void NegateBlock(const BlockArguments& block) {
  Map<1>(block, [](auto, auto x) HWY_ATTR { return hn::Neg(x); });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"
#include "weft/ops/operators.h"

namespace weft {
HWY_EXPORT(NegateBlock);

constinit const OpDef kNegate = {
    .name = "Negate",
    .arity = 1,
    .type = ElementwiseType,
    .formula = [](auto x) { return -x; },
    // d(−x)/dx = −1
    .gradient = [](const GradientContext& c) -> Contributions { return {-c.output_gradient()}; },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(NegateBlock)
      (block);
    }},
    .samples =
        [] {
          return ElementwiseSamples(1, {{-3, 3}});
        },
    .simplify = [](Node node) -> std::optional<Node> {
      // −(−x) = x
      const Node x = node.operand(0);
      return &x.op() == &kNegate ? std::optional(x.operand(0)) : std::nullopt;
    },
};

Node Negate(Node x) { return Elementwise(kNegate, {x}); }

}  // namespace weft
#endif
