// Divide(a, b) = a/b.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void DivideBlock(const BlockArguments& block) {
  Map<2>(block, [](auto, auto a, auto b) HWY_ATTR { return hn::Div(a, b); });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"
#include "weft/ops/operators.h"

namespace weft {
HWY_EXPORT(DivideBlock);

constinit const OpDef kDivide = {
    .name = "Divide",
    .arity = 2,
    .type = ElementwiseType,
    .formula = [](auto a, auto b) { return a / b; },
    // ∂(a/b)/∂a = 1/b, ∂(a/b)/∂b = −(a/b)/b
    .gradient = [](const GradientContext& c) -> Contributions {
      Contributions parts(2);
      const Node share = c.output_gradient() / c.operand(1);
      if (c.Needs(0)) parts[0] = share;
      if (c.Needs(1)) parts[1] = -(share * c.output());
      return parts;
    },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(DivideBlock)
      (block);
    }},
    .samples =
        [] {
          return ElementwiseSamples(2, {{-3, 3}, {0.5, 3}});
        },
    .traits = {.vector_cycles = 8},
    .simplify = [](Node node) -> std::optional<Node> {
      // x/1 = x
      return UniformValue(node.operand(1)) == 1 ? std::optional(node.operand(0)) : std::nullopt;
    },
};

Node Divide(Node a, Node b) { return Elementwise(kDivide, {a, b}); }

}  // namespace weft
#endif
