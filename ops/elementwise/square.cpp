// Square(x) = x².

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void SquareBlock(const BlockArguments& block) {
  Map<1>(block, [](auto, auto x) HWY_ATTR { return hn::Mul(x, x); });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"
#include "weft/ops/operators.h"

namespace weft {
HWY_EXPORT(SquareBlock);

constinit const OpDef kSquare = {
    .name = "Square",
    .arity = 1,
    .type = ElementwiseType,
    .formula = [](auto x) { return x * x; },
    // dx²/dx = 2x
    .gradient = [](const GradientContext& c) -> Contributions { return {c.output_gradient() * (2.0 * c.operand(0))}; },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(SquareBlock)
      (block);
    }},
    .samples =
        [] {
          return ElementwiseSamples(1, {{-3, 3}});
        },
};

Node Square(Node x) { return Elementwise(kSquare, {x}); }

}  // namespace weft
#endif
