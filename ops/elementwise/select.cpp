// Select(condition, a, b) = a where the condition is not 0 (NaN is not), else b.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void SelectBlock(const BlockArguments& block) {
  Map<3>(block, [](auto d, auto condition, auto a, auto b)
                    HWY_ATTR { return hn::IfThenElse(hn::Eq(condition, hn::Zero(d)), b, a); });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"

namespace weft {
HWY_EXPORT(SelectBlock);

constinit const OpDef kSelect = {
    .name = "Select",
    .arity = 3,
    .type = ElementwiseType,
    .formula = [](auto condition, auto a, auto b) { return condition != 0 ? a : b; },
    // All of it to the operand that was taken, nothing to the condition. The other gets 0 even where the gradient is ∞.
    .gradient = [](const GradientContext& c) -> Contributions {
      Contributions parts(3);
      const Node g = c.output_gradient();
      const Node zero = Constant(g.graph(), 0, g.dtype());
      if (c.Needs(1)) parts[1] = Select(c.operand(0), g, zero);
      if (c.Needs(2)) parts[2] = Select(c.operand(0), zero, g);
      return parts;
    },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(SelectBlock)
      (block);
    }},
    .samples =
        [] {
          const Domain number = {-3, 3};
          return Joined(ElementwiseSamples(3, {{0.5, 1}, number, number}),
                        ElementwiseSamples(3, {{0, 0}, number, number}));
        },
    .simplify = [](Node node) -> std::optional<Node> {
      const std::optional<double> condition = UniformValue(node.operand(0));
      if (!condition) return std::nullopt;
      return node.operand(*condition != 0 ? 1 : 2);
    },
};

Node Select(Node condition, Node if_true, Node if_false) {
  return Elementwise(kSelect, {condition, if_true, if_false});
}

}  // namespace weft
#endif
