// RandomUniform: every multiple of 2⁻⁵³ in [0, 1) alike; in f32 the same number cut to a multiple of 2⁻²⁴.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/philox-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void UniformBlocks(const StepArguments& step, uint32_t begin, uint32_t end) {
  const uint64_t kept = step.dtype == DType::kFloat32 ? ~uint64_t{0} << 40 : ~uint64_t{0};
  FillBlocks(step, begin, end, [kept](auto d, const auto& draw) HWY_ATTR {
    const hn::RebindToFloat<decltype(d)> df;
    const auto bits = hn::And(draw(0).first, hn::Set(d, kept));
    const auto last = hn::RebindMask(df, hn::TestBit(bits, hn::Set(d, uint64_t{1} << 11)));  // the 53rd, of weight 2⁻⁵³
    return hn::Add(UnitOf(d, bits), hn::IfThenElseZero(last, hn::Set(df, 0x1p-53)));
  });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "weft/ops/all_ops.h"
#include "weft/ops/random/random.h"

namespace weft {
HWY_EXPORT(UniformBlocks);

constinit const OpDef kRandomUniform = {
    .name = "RandomUniform",
    .arity = 1,
    .type = RandomType,
    .formula =
        [](std::span<const Tensor> state, const Attributes& attributes, const TensorType& result) {
          return RandomInOrder(state[0], attributes, result, [](const ElementDraw& draw, DType dtype) {
            const uint64_t word = draw(0).first;
            if (dtype == DType::kFloat32) return static_cast<double>(word >> 40) * 0x1p-24;
            return static_cast<double>(word >> 11) * 0x1p-53;
          });
        },
    .gradient = [](const GradientContext&) -> Contributions { return {std::nullopt}; },  // the state is no quantity
    .lower = InSteps{[](LoweringContext& context) {
      const auto run = [](const StepArguments& step, uint32_t begin, uint32_t end) {
        HWY_DYNAMIC_DISPATCH(UniformBlocks)(step, begin, end);
      };
      LowerRandom(context, run, 20);
    }},
    .samples = RandomSamples,
    .traits = {.is_random = true},
};

Node RandomUniform(Graph& graph, std::string_view name, const Shape& shape, DType dtype) {
  return AddRandom(kRandomUniform, graph, name, shape, dtype);
}

}  // namespace weft
#endif
