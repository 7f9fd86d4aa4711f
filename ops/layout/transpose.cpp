// Transpose(x): axis a of the result is axis permutation[a] of x.
#include <algorithm>
#include <numeric>

#include "weft/ops/all_ops.h"
#include "weft/ops/layout/strided.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

Shape Permuted(const Shape& x, const Axes& permutation) {
  std::vector<Dim> dims;
  for (int64_t axis : permutation) dims.push_back(x[static_cast<size_t>(axis)]);
  return Shape(dims);
}

StridedRead PermutedRead(const Shape& x, const Attributes& attributes) {
  const std::vector<int64_t> strides = RowMajorStrides(x);
  StridedRead read;
  for (int64_t axis : attributes.Get<Axes>("permutation")) {
    read.lengths.push_back(x[static_cast<size_t>(axis)].length());
    read.strides.push_back(strides[static_cast<size_t>(axis)]);
  }
  return read;
}

// 0, 1, 2, … `rank` of them.
Axes Counting(size_t rank) {
  Axes axes(rank);
  std::iota(axes.begin(), axes.end(), int64_t{0});
  return axes;
}

}  // namespace

constinit const OpDef kTranspose = {
    .name = "Transpose",
    .arity = 1,
    .type = [](const TypeContext& context) -> TensorType {
      TensorType type = context.operand(0);
      const Axes& permutation = context.attributes().Get<Axes>("permutation");
      const Axes axes = Counting(type.shape.rank());
      context.Require(std::ranges::is_permutation(permutation, axes),
                      "got permutation " + ToString(AttributeValue(permutation)) + ", expected one of " +
                          ToString(AttributeValue(axes)));
      type.shape = Permuted(type.shape, permutation);
      return type;
    },
    .formula =
        [](auto x, const Attributes& attributes, const TensorType& result) {
          return ReadInOrder(x[0], PermutedRead(x[0].shape, attributes), result.shape);
        },
    // The way back is the inverse permutation.
    .gradient = [](const GradientContext& c) -> Contributions {
      const Axes& permutation = c.attributes().Get<Axes>("permutation");
      Axes inverse = permutation;
      for (size_t a = 0; a < inverse.size(); ++a) {
        inverse[static_cast<size_t>(permutation[a])] = static_cast<int64_t>(a);
      }
      return {Transpose(c.output_gradient(), inverse)};
    },
    .lower = InSteps{[](LoweringContext& context) {
      LowerStridedRead(context, PermutedRead(context.operands[0].shape, context.attributes));
    }},
    .samples =
        [] {
          SampleSet set;
          const auto add = [&set](const Shape& x, const Axes& permutation) {
            set.samples.push_back({.operands = {x}, .attributes = {{"permutation", permutation}}});
          };
          add({}, {});
          add({7}, {0});
          add({3, 5}, {1, 0});
          add({33, 65}, {1, 0});
          add({2, 3, 4}, {2, 0, 1});
          add({2, 3, 4}, {0, 2, 1});
          add({2, 3, 4}, {1, 0, 2});
          add({2, 1, 3, 2, 2}, {4, 2, 0, 1, 3});
          add({0, 3}, {1, 0});
          return set;
        },
    // Moving axes of length 1 moves no element.
    .simplify = [](Node node) -> std::optional<Node> {
      const Node x = node.operand(0);
      if (!PermutedRead(x.shape(), node.attributes()).is_contiguous()) return std::nullopt;
      return Reshape(x, node.shape());
    },
};

Node Transpose(Node x, const Axes& permutation) {
  Axes axes;
  for (int64_t axis : permutation) axes.push_back(static_cast<int64_t>(NormalizedAxis(axis, x.shape().rank())));
  return axes == Counting(x.shape().rank()) ? x : x.graph().Add(kTranspose, {x}, {{"permutation", std::move(axes)}});
}

}  // namespace weft
