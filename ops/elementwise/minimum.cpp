// Minimum(a, b): the smaller one; a if they are equal (+0 and −0 are), NaN if one is NaN.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void MinimumBlock(const BlockArguments& block) {
  // An x86 minimum returns its second operand where one is NaN: hence the explicit choice.
  Map<2>(block, [](auto, auto a, auto b) HWY_ATTR { return hn::IfThenElse(hn::Or(hn::IsNaN(a), hn::Le(a, b)), a, b); });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"

namespace weft {
using std::isnan;
HWY_EXPORT(MinimumBlock);

constinit const OpDef kMinimum = {
    .name = "Minimum",
    .arity = 2,
    .type = ElementwiseType,
    .formula = [](auto a, auto b) { return a <= b || isnan(a) ? a : b; },
    // All of it to the operand that was taken: to a in a tie.
    .gradient = [](const GradientContext& c) -> Contributions {
      Contributions parts(2);
      const Node takes_a = LessEqual(c.operand(0), c.operand(1));
      const Node zero = Constant(takes_a.graph(), 0, takes_a.dtype());
      if (c.Needs(0)) parts[0] = Select(takes_a, c.output_gradient(), zero);
      if (c.Needs(1)) parts[1] = Select(takes_a, zero, c.output_gradient());
      return parts;
    },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(MinimumBlock)
      (block);
    }},
    .samples =
        [] {  // never equal: a tie is a kink
          return Joined(ElementwiseSamples(2, {{-3, -0.1}, {0.1, 3}}), ElementwiseSamples(2, {{0.1, 3}, {-3, -0.1}}));
        },
};

Node Minimum(Node a, Node b) { return Elementwise(kMinimum, {a, b}); }

}  // namespace weft
#endif
