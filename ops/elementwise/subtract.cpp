// Subtract(a, b) = a − b.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void SubtractBlock(const BlockArguments& block) {
  Map<2>(block, [](auto, auto a, auto b) HWY_ATTR { return hn::Sub(a, b); });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"
#include "weft/ops/fused/adam_step.h"
#include "weft/ops/operators.h"

namespace weft {
HWY_EXPORT(SubtractBlock);

constinit const OpDef kSubtract = {
    .name = "Subtract",
    .arity = 2,
    .type = ElementwiseType,
    .formula = [](auto a, auto b) { return a - b; },
    // ∂(a − b)/∂a = 1, ∂(a − b)/∂b = −1
    .gradient = [](const GradientContext& c) -> Contributions {
      Contributions parts(2);
      if (c.Needs(0)) parts[0] = c.output_gradient();
      if (c.Needs(1)) parts[1] = -c.output_gradient();
      return parts;
    },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(SubtractBlock)
      (block);
    }},
    .samples =
        [] {
          return ElementwiseSamples(2, {{-3, 3}});
        },
    .simplify = [](Node node) -> std::optional<Node> {
      // x − 0 = x, also for x = −0; x + 0 would not be.
      const std::optional<double> b = UniformValue(node.operand(1));
      return b == 0 && !std::signbit(*b) ? std::optional(node.operand(0)) : std::nullopt;
    },
    .ending = &kAdamStep,
};

Node Subtract(Node a, Node b) { return Elementwise(kSubtract, {a, b}); }

}  // namespace weft
#endif
