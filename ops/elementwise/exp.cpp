// Exp(x) = eˣ.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"
#include "weft/ops/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void ExpBlock(const BlockArguments& block) {
  Map<1>(block, [](auto d, auto x) HWY_ATTR { return Exponential(d, x); });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"
#include "weft/ops/operators.h"

namespace weft {
using std::exp;
HWY_EXPORT(ExpBlock);

constinit const OpDef kExp = {
    .name = "Exp",
    .arity = 1,
    .type = ElementwiseType,
    .formula = [](auto x) { return exp(x); },
    // d/dx eˣ = eˣ
    .gradient = [](const GradientContext& c) -> Contributions { return {c.output_gradient() * c.output()}; },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(ExpBlock)
      (block);
    }},
    .samples =
        [] {
          return ElementwiseSamples(1, {{-3, 3}}, 1);
        },
    .traits = {.vector_cycles = 30},
};

Node Exp(Node x) { return Elementwise(kExp, {x}); }

}  // namespace weft
#endif
