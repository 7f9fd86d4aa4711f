// SigmoidCrossEntropy(x, t) = −t·log σ(x) − (1 − t)·log(1 − σ(x)) = max(x, 0) − x·t + log(1 + e^−|x|), x the logits.
//
// max(x, 0) − x·t is computed as |x|·(1 − t) for x > 0 and |x|·t else: for targets in [0, 1] no term is negative, so
// nothing cancels, and the result is finite for every finite x.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"
#include "weft/ops/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void SigmoidCrossEntropyBlock(const BlockArguments& block) {
  Map<2>(block, [](auto d, auto x, auto t) HWY_ATTR {
    const auto magnitude = hn::Abs(x);
    const auto missed = hn::IfThenElse(hn::Gt(x, hn::Zero(d)), hn::Sub(Fill(d, 1), t), t);
    return hn::MulAdd(magnitude, missed, Logarithm1Plus(d, Exponential(d, hn::Neg(magnitude))));
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
using std::abs;
using std::exp;
using std::log1p;
HWY_EXPORT(SigmoidCrossEntropyBlock);

constinit const OpDef kSigmoidCrossEntropy = {
    .name = "SigmoidCrossEntropy",
    .arity = 2,
    .type = [](const TypeContext& context) -> TensorType {
      if (context.operand(0).kind == ValueKind::kProbability) {
        context.Fail(
            "got probabilities as logits, so this loss would be that of a double sigmoid; expected the values "
            "before the sigmoid");
      }
      return ElementwiseType(context);
    },
    .formula = [](auto x, auto t) { return abs(x) * (x > 0 ? 1 - t : t) + log1p(exp(-abs(x))); },
    // ∂/∂x = σ(x) − t, ∂/∂t = −x
    .gradient = [](const GradientContext& c) -> Contributions {
      Contributions parts(2);
      if (c.Needs(0)) parts[0] = c.output_gradient() * (Sigmoid(c.operand(0)) - c.operand(1));
      if (c.Needs(1)) parts[1] = -(c.output_gradient() * c.operand(0));
      return parts;
    },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(SigmoidCrossEntropyBlock)
      (block);
    }},
    .samples =
        [] {
          return ElementwiseSamples(2, {{-5, 5}, {0, 1}}, 3);
        },
    .traits = {.vector_cycles = 85},
};

Node SigmoidCrossEntropy(const CrossEntropyOperands& operands) {
  return Elementwise(kSigmoidCrossEntropy, {operands.logits, operands.target});
}

}  // namespace weft
#endif
