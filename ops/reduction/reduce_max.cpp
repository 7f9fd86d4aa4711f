// ReduceMax(x) = the largest element over a run of axes; NaN if one is NaN.

#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"
#include "weft/ops/simd/reduce-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

// hn::Max of a NaN differs between targets. Here a NaN in a wins the first test; with a NaN in b, a > b is false.
struct Larger {
  template <class D, class V>
  HWY_INLINE V operator()(D, V a, V b) const {
    return hn::IfThenElse(hn::Or(hn::IsNaN(a), hn::Gt(a, b)), a, b);
  }
};

void MaxFold(const BlockArguments& block) { Fold(block, -std::numeric_limits<double>::infinity(), Larger()); }

void MaxDown(const BlockArguments& block) { FoldDown(block, Larger()); }

void MaxJoin(const BlockArguments& block) { Map<2>(block, Larger()); }

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

#include "weft/ops/all_ops.h"
#include "weft/ops/operators.h"
#include "weft/ops/reduction/reduction.h"

namespace weft {
using std::isnan;
HWY_EXPORT(MaxFold);
HWY_EXPORT(MaxDown);
HWY_EXPORT(MaxJoin);

constinit const OpDef kReduceMax = {
    .name = "ReduceMax",
    .arity = 1,
    .type = [](const TypeContext& context) -> TensorType {
      const TensorType type = ReductionType(context);
      const auto axis = static_cast<size_t>(context.attributes().Get<int64_t>("axis"));
      const auto count = static_cast<size_t>(context.attributes().Get<int64_t>("count"));
      for (size_t a = axis; a < axis + count; ++a) {
        context.Require(context.operand(0).shape[a] != Dim(0), "nothing has no largest element: an axis has length 0");
      }
      return type;
    },
    .formula =
        [](auto x, const Attributes& attributes, const TensorType&) {
          const auto larger = [](auto a, auto b) { return isnan(a) || a > b ? a : b; };
          return ReduceInOrder(x[0], attributes, -std::numeric_limits<double>::infinity(), larger);
        },
    // ∂max/∂xᵢ = [xᵢ = max] / Σⱼ [xⱼ = max]: ties share evenly.
    .gradient = [](const GradientContext& c) -> Contributions {
      const Node x = c.operand(0);
      const Node mask = Equal(x, BroadcastOver(c.output(), x, c.attributes()));
      const Node ties = x.graph().Add(kReduceSum, {mask}, c.attributes());
      return {mask * BroadcastOver(c.output_gradient() / ties, x, c.attributes())};
    },
    .lower = Reduction{{.fold =
                            [](const BlockArguments& block) {
                              HWY_DYNAMIC_DISPATCH(MaxFold)
                              (block);
                            },
                        .fold_down =
                            [](const BlockArguments& block) {
                              HWY_DYNAMIC_DISPATCH(MaxDown)
                              (block);
                            },
                        .join =
                            [](const BlockArguments& block) {
                              HWY_DYNAMIC_DISPATCH(MaxJoin)
                              (block);
                            },
                        .identity = -std::numeric_limits<double>::infinity()}},
    .samples = ReductionSamples,
};

Node ReduceMax(Node x) { return Reduce(kReduceMax, x, AllAxes(x)); }
Node ReduceMax(Node x, const Axes& axes) { return Reduce(kReduceMax, x, axes); }

}  // namespace weft
#endif
