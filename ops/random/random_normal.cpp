// RandomNormal: N(0, 1). The f32 numbers are the f64 numbers, rounded.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/normal-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void NormalBlocks(const StepArguments& step, uint32_t begin, uint32_t end) {
  FillBlocks(step, begin, end, [](auto d, const auto& draw) HWY_ATTR { return NormalOf(d, draw(0)); });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "weft/ops/all_ops.h"
#include "weft/ops/random/random.h"

namespace weft {
HWY_EXPORT(NormalBlocks);

constinit const OpDef kRandomNormal = {
    .name = "RandomNormal",
    .arity = 1,
    .type = RandomType,
    .formula =
        [](std::span<const Tensor> state, const Attributes& attributes, const TensorType& result) {
          return RandomInOrder(state[0], attributes, result,
                               [](const ElementDraw& draw, DType) { return NormalInOrder(draw(0)); });
        },
    .gradient = [](const GradientContext&) -> Contributions { return {std::nullopt}; },  // the state is no quantity
    .lower = InSteps{[](LoweringContext& context) {
      const auto run = [](const StepArguments& step, uint32_t begin, uint32_t end) {
        HWY_DYNAMIC_DISPATCH(NormalBlocks)(step, begin, end);
      };
      LowerRandom(context, run, 50);
    }},
    .samples = RandomSamples,
    .traits = {.is_random = true},
};

Node RandomNormal(Graph& graph, std::string_view name, const Shape& shape, DType dtype) {
  return AddRandom(kRandomNormal, graph, name, shape, dtype);
}
Node RandomNormalLike(std::string_view name, Node x) { return RandomNormal(x.graph(), name, x.shape(), x.dtype()); }

}  // namespace weft
#endif
