// Abs(x) = |x|.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void AbsBlock(const BlockArguments& block) {
  Map<1>(block, [](auto, auto x) HWY_ATTR { return hn::Abs(x); });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"
#include "weft/ops/operators.h"

namespace weft {
using std::abs;
HWY_EXPORT(AbsBlock);

constinit const OpDef kAbs = {
    .name = "Abs",
    .arity = 1,
    .type = ElementwiseType,
    .formula = [](auto x) { return abs(x); },
    // d|x|/dx = sign(x), 0 at 0
    .gradient = [](const GradientContext& c) -> Contributions {
      const Node g = c.output_gradient();
      const Node zero = Constant(g.graph(), 0, g.dtype());
      const Node where_negative = Select(Less(c.operand(0), zero), -g, zero);
      return {Select(Greater(c.operand(0), zero), g, where_negative)};
    },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(AbsBlock)
      (block);
    }},
    .samples = [] { return ElementwiseSamples(1, {{.low = -3, .high = 3, .kinks = {0}}}); },
};

Node Abs(Node x) { return Elementwise(kAbs, {x}); }

}  // namespace weft
#endif
