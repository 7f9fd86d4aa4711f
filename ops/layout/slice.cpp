// Slice(x) = the elements [begin, end) of x along one axis, attributes axis, begin, end.
#include "weft/ops/all_ops.h"
#include "weft/ops/layout/strided.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

struct Range {
  int64_t axis, begin, end;
};

Range RangeOf(const Attributes& attributes) {
  return {attributes.Get<int64_t>("axis"), attributes.Get<int64_t>("begin"), attributes.Get<int64_t>("end")};
}

Shape WithLength(const Shape& shape, int64_t axis, Dim length) {
  std::vector<Dim> dims(shape.begin(), shape.end());
  dims[static_cast<size_t>(axis)] = length;
  return Shape(dims);
}

StridedRead RangeRead(const Shape& x, const Attributes& attributes, const Shape& result) {
  const Range range = RangeOf(attributes);
  StridedRead read = {.lengths = {}, .strides = RowMajorStrides(x)};
  for (Dim dim : result) read.lengths.push_back(dim.length());
  read.offset = range.begin * read.strides[static_cast<size_t>(range.axis)];
  return read;
}

Node Zeros(Node like, const Shape& shape) { return BroadcastTo(Constant(like.graph(), 0.0, like.dtype()), shape); }

}  // namespace

constinit const OpDef kSlice = {
    .name = "Slice",
    .arity = 1,
    .type = [](const TypeContext& context) -> TensorType {
      TensorType type = context.operand(0);
      const Range range = RangeOf(context.attributes());
      context.Require(range.axis >= 0 && range.axis < static_cast<int64_t>(type.shape.rank()),
                      "the axis is outside the operand's shape");
      const Dim dim = type.shape[static_cast<size_t>(range.axis)];
      context.Require(!dim.is_batch(), "got the axis of the batch size N, which has no known end");
      context.Require(0 <= range.begin && range.begin <= range.end && range.end <= dim.length(),
                      "got " + std::to_string(range.begin) + " … " + std::to_string(range.end) +
                          ", expected a range within 0 … " + std::to_string(dim.length()));
      type.shape = WithLength(type.shape, range.axis, range.end - range.begin);
      return type;
    },
    .formula =
        [](auto x, const Attributes& attributes, const TensorType& result) {
          return ReadInOrder(x[0], RangeRead(x[0].shape, attributes, result.shape), result.shape);
        },
    // What was left out has no part in the result.
    .gradient = [](const GradientContext& c) -> Contributions {
      const Range range = RangeOf(c.attributes());
      const Node g = c.output_gradient();
      const Shape& x = c.operand(0).shape();
      const int64_t length = x[static_cast<size_t>(range.axis)].length();
      std::vector<Node> parts;
      if (range.begin > 0) parts.push_back(Zeros(g, WithLength(x, range.axis, range.begin)));
      parts.push_back(g);
      if (range.end < length) parts.push_back(Zeros(g, WithLength(x, range.axis, length - range.end)));
      return {Concatenate(parts, range.axis)};
    },
    .lower = InSteps{[](LoweringContext& context) {
      LowerStridedRead(context, RangeRead(context.operands[0].shape, context.attributes, context.result.shape));
    }},
    .samples =
        [] {
          SampleSet set;
          const auto add = [&set](const Shape& x, int64_t axis, int64_t begin, int64_t end) {
            set.samples.push_back({.operands = {x}, .attributes = {{"axis", axis}, {"begin", begin}, {"end", end}}});
          };
          add({7}, 0, 2, 5);
          add({5, 3}, 0, 1, 2);
          add({5, 3}, 1, 1, 3);
          add({2, 4, 3}, 1, 0, 3);
          add({2, 4, 1}, 1, 0, 4);
          add({6, 2}, 0, 3, 3);
          return set;
        },
};

Node Slice(Node x, int64_t axis, int64_t begin, int64_t end) {
  const auto at = static_cast<int64_t>(NormalizedAxis(axis, x.shape().rank()));
  if (begin == 0 && x.shape()[static_cast<size_t>(at)] == Dim(end)) return x;
  return x.graph().Add(kSlice, {x}, {{"axis", at}, {"begin", begin}, {"end", end}});
}

}  // namespace weft
