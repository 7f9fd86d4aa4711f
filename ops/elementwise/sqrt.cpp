// Sqrt(x) = √x, correctly rounded; NaN below 0, √−0 = −0.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void SqrtBlock(const BlockArguments& block) {
  Map<1>(block, [](auto, auto x) HWY_ATTR { return hn::Sqrt(x); });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"
#include "weft/ops/operators.h"

namespace weft {
using std::sqrt;
HWY_EXPORT(SqrtBlock);

constinit const OpDef kSqrt = {
    .name = "Sqrt",
    .arity = 1,
    .type = ElementwiseType,
    .formula = [](auto x) { return sqrt(x); },
    // d√x/dx = 1/(2·√x)
    .gradient = [](const GradientContext& c) -> Contributions { return {0.5 * c.output_gradient() / c.output()}; },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(SqrtBlock)
      (block);
    }},
    .samples =
        [] {
          return ElementwiseSamples(1, {{0.1, 5}});
        },
    .traits = {.vector_cycles = 12},
};

Node Sqrt(Node x) { return Elementwise(kSqrt, {x}); }

}  // namespace weft
#endif
