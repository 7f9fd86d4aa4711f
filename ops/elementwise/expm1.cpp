// Expm1(x) = eˣ − 1, exact to the last places also for small x.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"
#include "weft/ops/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void Expm1Block(const BlockArguments& block) {
  Map<1>(block, [](auto d, auto x) HWY_ATTR { return ExponentialMinus1(d, x); });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"
#include "weft/ops/operators.h"

namespace weft {
using std::expm1;
HWY_EXPORT(Expm1Block);

constinit const OpDef kExpm1 = {
    .name = "Expm1",
    .arity = 1,
    .type = ElementwiseType,
    .formula = [](auto x) { return expm1(x); },
    // d/dx (eˣ − 1) = eˣ
    .gradient = [](const GradientContext& c) -> Contributions { return {c.output_gradient() * (c.output() + 1.0)}; },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(Expm1Block)
      (block);
    }},
    .samples =
        [] {
          return ElementwiseSamples(1, {{-3, 3}}, 2);
        },
    .traits = {.vector_cycles = 30},
};

Node Expm1(Node x) { return Elementwise(kExpm1, {x}); }

}  // namespace weft
#endif
