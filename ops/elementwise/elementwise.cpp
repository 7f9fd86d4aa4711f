// What the elementwise ops share.
#include "weft/ops/elementwise/elementwise.h"

namespace weft {

TensorType ElementwiseType(const TypeContext& context) {
  const TensorType& first = context.operand(0);
  context.Require(IsFloating(first.dtype), "expected floating-point operands");
  for (size_t i = 1; i < context.operand_count(); ++i) {
    context.Require(context.operand(i).dtype == first.dtype, "operands of different element types");
    context.Require(context.operand(i).shape == first.shape, "operands of different shapes");
  }
  return {.dtype = first.dtype, .shape = first.shape};
}

Node Elementwise(const OpDef& op, std::vector<Node> operands, Attributes attributes) {
  Shape shape = operands[0].shape();
  for (const Node& operand : operands) {
    const std::optional<Shape> common = Broadcast(shape, operand.shape());
    if (!common) {
      const Path name = operands[0].graph().scope() / Path(*op.name);
      TypeContext(op, name, operands, attributes).Fail("shapes do not broadcast");
    }
    shape = *common;
  }
  for (Node& operand : operands) operand = BroadcastTo(operand, shape);
  return operands[0].graph().Add(op, std::move(operands), std::move(attributes));
}

SampleSet ElementwiseSamples(size_t arity, std::vector<Domain> domains, Attributes attributes) {
  SampleSet set;
  for (const Shape& shape : {Shape{}, Shape{7}, Shape{3, 5}, Shape{2, 1, 33}, Shape{0, 4}}) {
    set.samples.push_back({.operands = std::vector<Shape>(arity, shape), .attributes = attributes, .domains = domains});
  }
  return set;
}

}  // namespace weft
