// Sigmoid(x) = σ(x) = 1/(1 + e⁻ˣ), for x < 0 as e^−|x|/(1 + e^−|x|): no overflow, and exact to the last places in both
// tails. The result is of the kind probability.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"
#include "weft/ops/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void SigmoidBlock(const BlockArguments& block) {
  Map<1>(block, [](auto d, auto x) HWY_ATTR {
    const auto one = Fill(d, 1);
    const auto e = Exponential(d, hn::Neg(hn::Abs(x)));
    return hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one), hn::Add(one, e));
  });
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
HWY_EXPORT(SigmoidBlock);

constinit const OpDef kSigmoid = {
    .name = "Sigmoid",
    .arity = 1,
    .type = [](const TypeContext& context) -> TensorType {
      TensorType type = ElementwiseType(context);
      type.kind = ValueKind::kProbability;
      return type;
    },
    .formula = [](auto x) { return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)); },
    // dσ/dx = σ·(1 − σ)
    .gradient = [](const GradientContext& c) -> Contributions {
      return {c.output_gradient() * (c.output() * (1.0 - c.output()))};
    },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(SigmoidBlock)
      (block);
    }},
    .samples =
        [] {
          return ElementwiseSamples(1, {{-5, 5}}, 3);
        },
    .traits = {.vector_cycles = 40},
};

Node Sigmoid(Node x) { return Elementwise(kSigmoid, {x}); }

}  // namespace weft
#endif
