// ReduceSum(x) = Σ x over a run of axes: 16 fixed lanes within a piece of a row, pieces and rows joined pairwise.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"
#include "weft/ops/simd/reduce-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void SumFold(const BlockArguments& block) {
  Fold(block, 0.0, [](auto, auto a, auto b) HWY_ATTR { return hn::Add(a, b); });
}

void SumDown(const BlockArguments& block) {
  FoldDown(block, [](auto, auto a, auto b) HWY_ATTR { return hn::Add(a, b); });
}

void SumJoin(const BlockArguments& block) {
  Map<2>(block, [](auto, auto a, auto b) HWY_ATTR { return hn::Add(a, b); });
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "weft/ops/all_ops.h"
#include "weft/ops/reduction/reduction.h"

namespace weft {
HWY_EXPORT(SumFold);
HWY_EXPORT(SumDown);
HWY_EXPORT(SumJoin);

constinit const OpDef kReduceSum = {
    .name = "ReduceSum",
    .arity = 1,
    .type = ReductionType,
    .formula =
        [](auto x, const Attributes& attributes, const TensorType&) {
          return ReduceInOrder(x[0], attributes, 0.0, [](auto a, auto b) { return a + b; });
        },
    // ∂Σx/∂xᵢ = 1: the gradient is repeated along the removed axes.
    .gradient = [](const GradientContext& c) -> Contributions {
      return {BroadcastOver(c.output_gradient(), c.operand(0), c.attributes())};
    },
    .lower = Reduction{{.fold =
                            [](const BlockArguments& block) {
                              HWY_DYNAMIC_DISPATCH(SumFold)
                              (block);
                            },
                        .fold_down =
                            [](const BlockArguments& block) {
                              HWY_DYNAMIC_DISPATCH(SumDown)
                              (block);
                            },
                        .join =
                            [](const BlockArguments& block) {
                              HWY_DYNAMIC_DISPATCH(SumJoin)
                              (block);
                            },
                        .identity = 0.0}},
    .samples = ReductionSamples,
};

Node ReduceSum(Node x) { return Reduce(kReduceSum, x, AllAxes(x)); }
Node ReduceSum(Node x, const Axes& axes) { return Reduce(kReduceSum, x, axes); }

}  // namespace weft
#endif
