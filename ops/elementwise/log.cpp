// Log(x) = log x: −∞ at ±0, NaN below.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"
#include "weft/ops/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void LogBlock(const BlockArguments& block) {
  Map<1>(block, [](auto d, auto x) HWY_ATTR { return Logarithm(d, x); });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"
#include "weft/ops/operators.h"

namespace weft {
using std::log;
HWY_EXPORT(LogBlock);

constinit const OpDef kLog = {
    .name = "Log",
    .arity = 1,
    .type = ElementwiseType,
    .formula = [](auto x) { return log(x); },
    // d log x/dx = 1/x
    .gradient = [](const GradientContext& c) -> Contributions { return {c.output_gradient() / c.operand(0)}; },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(LogBlock)
      (block);
    }},
    .samples =
        [] {
          return ElementwiseSamples(1, {{0.1, 5}}, 1);
        },
    .traits = {.vector_cycles = 40},
};

Node Log(Node x) { return Elementwise(kLog, {x}); }

}  // namespace weft
#endif
