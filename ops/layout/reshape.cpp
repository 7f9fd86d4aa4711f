// Reshape(x) = the elements of x, in order, under attribute "shape". N stands for itself: as many N before as after.
#include <algorithm>

#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

bool SameElements(const Shape& a, const Shape& b) {
  if (std::ranges::count(a, kBatch) != std::ranges::count(b, kBatch)) return false;
  return ElementCount(a.Bound(1)) == ElementCount(b.Bound(1));
}

}  // namespace

constinit const OpDef kReshape = {
    .name = "Reshape",
    .arity = 1,
    .type = [](const TypeContext& context) -> TensorType {
      TensorType type = context.operand(0);
      const Shape& shape = context.attributes().Get<Shape>("shape");
      context.Require(SameElements(type.shape, shape), "the operand has not as many elements as " + ToString(shape));
      type.shape = shape;
      return type;
    },
    .formula =
        [](auto x, const Attributes&, const TensorType& result) {
          auto reshaped = x[0];
          reshaped.shape = result.shape;
          return reshaped;
        },
    .gradient = [](const GradientContext& c) -> Contributions {
      return {Reshape(c.output_gradient(), c.operand(0).shape())};
    },
    .lower = View{},
    .samples =
        [] {
          SampleSet set;
          const auto add = [&set](const Shape& x, const Shape& shape) {
            set.samples.push_back({.operands = {x}, .attributes = {{"shape", shape}}});
          };
          add({}, {1, 1});
          add({6}, {2, 3});
          add({2, 3, 5}, {6, 5});
          add({1, 7, 1}, {7});
          add({0, 3}, {5, 0, 2});
          return set;
        },
};

Node Reshape(Node x, const Shape& shape) {
  return x.shape() == shape ? x : x.graph().Add(kReshape, {x}, {{"shape", shape}});
}

}  // namespace weft
