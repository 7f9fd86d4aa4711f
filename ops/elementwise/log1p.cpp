// Log1p(x) = log(1 + x), exact to the last places also for small x; −∞ at −1, NaN below.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"
#include "weft/ops/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void Log1pBlock(const BlockArguments& block) {
  Map<1>(block, [](auto d, auto x) HWY_ATTR { return Logarithm1Plus(d, x); });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"
#include "weft/ops/operators.h"

namespace weft {
using std::log1p;
HWY_EXPORT(Log1pBlock);

constinit const OpDef kLog1p = {
    .name = "Log1p",
    .arity = 1,
    .type = ElementwiseType,
    .formula = [](auto x) { return log1p(x); },
    // d log(1 + x)/dx = 1/(1 + x)
    .gradient = [](const GradientContext& c) -> Contributions { return {c.output_gradient() / (1.0 + c.operand(0))}; },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(Log1pBlock)
      (block);
    }},
    .samples =
        [] {
          return ElementwiseSamples(1, {{-0.7, 3}}, 1);
        },
    .traits = {.vector_cycles = 45},
};

Node Log1p(Node x) { return Elementwise(kLog1p, {x}); }

}  // namespace weft
#endif
