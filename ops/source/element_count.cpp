// ElementCount(x) = the number of elements along attribute "axes", a scalar of x's dtype. It depends on the type of x
// only, so it becomes a Constant as soon as N is bound; until then a mean over the batch can be written down and
// differentiated.
#include <algorithm>

#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

int64_t CountAlong(const Shape& shape, const Attributes& attributes) {
  std::vector<Dim> dims;
  for (int64_t axis : attributes.Get<Axes>("axes")) dims.push_back(shape[static_cast<size_t>(axis)]);
  return ElementCount(dims);
}

// numbers = {the count}
void WriteCount(const StepArguments& step, uint32_t, uint32_t) {
  if (step.dtype == DType::kFloat32) *reinterpret_cast<float*>(step.writes[0]) = static_cast<float>(step.numbers[0]);
  else *reinterpret_cast<double*>(step.writes[0]) = static_cast<double>(step.numbers[0]);
}

}  // namespace

constinit const OpDef kElementCount = {
    .name = "ElementCount",
    .arity = 1,
    .type = [](const TypeContext& context) -> TensorType {
      const TensorType& x = context.operand(0);
      const Axes& axes = context.attributes().Get<Axes>("axes");
      const auto rank = static_cast<int64_t>(x.shape.rank());
      context.Require(IsFloating(x.dtype), "expected a floating-point operand");
      context.Require(axes.empty() || (axes.front() >= 0 && axes.back() < rank),
                      "the axes are outside the operand's shape");
      context.Require(std::ranges::adjacent_find(axes, std::ranges::greater_equal{}) == axes.end(),
                      "expected ascending axes, each once");
      return {.dtype = x.dtype, .shape = {}};
    },
    .formula =
        [](std::span<const Tensor> x, const Attributes& attributes, const TensorType&) {
          return Tensor::Scalar(static_cast<double>(CountAlong(x[0].shape(), attributes)));
        },
    // The values of x make no difference.
    .gradient = [](const GradientContext&) -> Contributions { return {std::nullopt}; },
    .lower = InSteps{[](LoweringContext& context) {
      context.steps.push_back({.run = WriteCount,
                               .writes = {StepBuffer::kResult},
                               .numbers = {CountAlong(context.operands[0].shape, context.attributes)},
                               .block_cycles = 10});
    }},
    .samples =
        [] {
          return SampleSet{.samples = {{.operands = {{7}}, .attributes = {{"axes", Axes{0}}}},
                                       {.operands = {{2, 3, 5}}, .attributes = {{"axes", Axes{0, 2}}}},
                                       {.operands = {{3, 0}}, .attributes = {{"axes", Axes{1}}}},
                                       {.operands = {{}}, .attributes = {{"axes", Axes{}}}}}};
        },
    .simplify = [](Node node) -> std::optional<Node> {
      return Constant(node.graph(), static_cast<double>(CountAlong(node.operand(0).shape(), node.attributes())),
                      node.dtype());
    },
};

Node ElementCount(Node x, const Axes& axes) {
  Axes sorted;
  for (int64_t axis : axes) sorted.push_back(static_cast<int64_t>(NormalizedAxis(axis, x.shape().rank())));
  std::ranges::sort(sorted);
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return x.graph().Add(kElementCount, {x}, {{"axes", std::move(sorted)}});
}

}  // namespace weft
