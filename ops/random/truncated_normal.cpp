// TruncatedNormal: N(0, 1), redrawn with the next attempt of the same element while it is outside ±2. So the standard
// deviation is √(1 − 4·φ(2) / (2·Φ(2) − 1)) = 0.8796. The f32 numbers are the f64 numbers, rounded.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/normal-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void TruncatedNormalBlocks(const StepArguments& step, uint32_t begin, uint32_t end) {
  FillBlocks(step, begin, end, [](auto d, const auto& draw) HWY_ATTR {
    const auto bound = hn::Set(hn::RebindToFloat<decltype(d)>(), 2.0);
    auto z = NormalOf(d, draw(0));
    auto inside = hn::Le(hn::Abs(z), bound);
    // An attempt fails in 1 of 22 elements. c₁ has room for 2¹⁶ of them.
    for (uint32_t attempt = 1; !hn::AllTrue(hn::RebindToFloat<decltype(d)>(), inside); ++attempt) {
      const auto fresh = NormalOf(d, draw(attempt));
      z = hn::IfThenElse(inside, z, fresh);
      inside = hn::Le(hn::Abs(z), bound);
    }
    return z;
  });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

#include "weft/ops/all_ops.h"
#include "weft/ops/random/random.h"

namespace weft {
HWY_EXPORT(TruncatedNormalBlocks);

constinit const OpDef kTruncatedNormal = {
    .name = "TruncatedNormal",
    .arity = 1,
    .type = RandomType,
    .formula =
        [](std::span<const Tensor> state, const Attributes& attributes, const TensorType& result) {
          return RandomInOrder(state[0], attributes, result, [](const ElementDraw& draw, DType) {
            double z = NormalInOrder(draw(0));
            for (uint32_t attempt = 1; std::abs(z) > 2; ++attempt) z = NormalInOrder(draw(attempt));
            return z;
          });
        },
    .gradient = [](const GradientContext&) -> Contributions { return {std::nullopt}; },  // the state is no quantity
    .lower = InSteps{[](LoweringContext& context) {
      const auto run = [](const StepArguments& step, uint32_t begin, uint32_t end) {
        HWY_DYNAMIC_DISPATCH(TruncatedNormalBlocks)(step, begin, end);
      };
      LowerRandom(context, run, 70);
    }},
    .samples = RandomSamples,
    .traits = {.is_random = true},
};

Node TruncatedNormal(Graph& graph, std::string_view name, const Shape& shape, DType dtype) {
  return AddRandom(kTruncatedNormal, graph, name, shape, dtype);
}

}  // namespace weft
#endif
