// BroadcastTo(x) = x repeated along its axes of length 1, and along new axes in front, to attribute "shape". Builders
// of elementwise ops leave all stretching to it, so its gradient is where gradients are summed back.
#include "weft/ops/all_ops.h"
#include "weft/ops/layout/strided.h"
#include "weft/ops/layout/sum_to_shape.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

StridedRead Repeated(const Shape& x, const Shape& shape) {
  const std::vector<int64_t> strides = RowMajorStrides(x);
  const size_t added = shape.rank() - x.rank();
  StridedRead read;
  for (size_t axis = 0; axis < shape.rank(); ++axis) {
    read.lengths.push_back(shape[axis].length());
    read.strides.push_back(axis < added || x[axis - added] == Dim(1) ? 0 : strides[axis - added]);
  }
  return read;
}

}  // namespace

constinit const OpDef kBroadcastTo = {
    .name = "BroadcastTo",
    .arity = 1,
    .type = [](const TypeContext& context) -> TensorType {
      TensorType type = context.operand(0);
      const Shape& shape = context.attributes().Get<Shape>("shape");
      context.Require(Broadcast(type.shape, shape) == shape, "the operand does not stretch to " + ToString(shape));
      type.shape = shape;
      return type;
    },
    .formula =
        [](auto x, const Attributes&, const TensorType& result) {
          return ReadInOrder(x[0], Repeated(x[0].shape, result.shape), result.shape);
        },
    // Each element was used as often as it is repeated.
    .gradient = [](const GradientContext& c) -> Contributions {
      return {SumToShape(c.output_gradient(), c.operand(0).shape())};
    },
    .lower = InSteps{[](LoweringContext& context) {
      LowerStridedRead(context, Repeated(context.operands[0].shape, context.result.shape));
    }},
    .samples =
        [] {
          SampleSet set;
          const auto add = [&set](const Shape& x, const Shape& shape) {
            set.samples.push_back({.operands = {x}, .attributes = {{"shape", shape}}});
          };
          add({}, {3, 5});
          add({5}, {3, 5});
          add({3, 1}, {3, 5});
          add({1, 4, 1}, {2, 3, 4, 5});
          add({2, 1, 3, 1, 2}, {2, 4, 3, 5, 2});
          add({7}, {7});
          add({1}, {0});
          add({0, 1}, {0, 3});
          return set;
        },
    .traits = {.broadcasts = true},
};

Node BroadcastTo(Node x, const Shape& shape) {
  return x.shape() == shape ? x : x.graph().Add(kBroadcastTo, {x}, {{"shape", shape}});
}

}  // namespace weft
