// Multiply(a, b) = a·b.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void MultiplyBlock(const BlockArguments& block) {
  Map<2>(block, [](auto, auto a, auto b) HWY_ATTR { return hn::Mul(a, b); });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"
#include "weft/ops/operators.h"

namespace weft {
HWY_EXPORT(MultiplyBlock);

constinit const OpDef kMultiply = {
    .name = "Multiply",
    .arity = 2,
    .type = ElementwiseType,
    .formula = [](auto a, auto b) { return a * b; },
    // ∂(a·b)/∂a = b, ∂(a·b)/∂b = a
    .gradient = [](const GradientContext& c) -> Contributions {
      Contributions parts(2);
      if (c.Needs(0)) parts[0] = c.output_gradient() * c.operand(1);
      if (c.Needs(1)) parts[1] = c.output_gradient() * c.operand(0);
      return parts;
    },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(MultiplyBlock)
      (block);
    }},
    .samples =
        [] {
          return ElementwiseSamples(2, {{-3, 3}});
        },
    .simplify = [](Node node) -> std::optional<Node> {
      // x·1 = 1·x = x
      if (UniformValue(node.operand(1)) == 1) return node.operand(0);
      if (UniformValue(node.operand(0)) == 1) return node.operand(1);
      return std::nullopt;
    },
};

Node Multiply(Node a, Node b) { return Elementwise(kMultiply, {a, b}); }

}  // namespace weft
#endif
