// Add(a, b) = a + b.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void AddBlock(const BlockArguments& block) {
  Map<2>(block, [](auto, auto a, auto b) HWY_ATTR { return hn::Add(a, b); });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"

namespace weft {
HWY_EXPORT(AddBlock);

constinit const OpDef kAdd = {
    .name = "Add",
    .arity = 2,
    .type = ElementwiseType,
    .formula = [](auto a, auto b) { return a + b; },
    .gradient = [](const GradientContext& c) -> Contributions {
      return {c.output_gradient(), c.output_gradient()};
    },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(AddBlock)
      (block);
    }},
    .samples =
        [] {
          return ElementwiseSamples(2, {{-3, 3}});
        },
};

Node Add(Node a, Node b) { return Elementwise(kAdd, {a, b}); }

}  // namespace weft
#endif
