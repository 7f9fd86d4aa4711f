// Type rules and builders of the toy ops.
#include "weft/tests/support/toy_ops.h"

namespace weft {

TensorType ToySourceType(const TypeContext& context) {
  return {.dtype = context.attributes().Get<DType>("dtype"), .shape = context.attributes().Get<Shape>("shape")};
}

TensorType ToyElementwiseType(const TypeContext& context) {
  context.Require(context.operand_count() > 0, "expected operands");
  const TensorType& first = context.operand(0);
  for (size_t i = 1; i < context.operand_count(); ++i) {
    context.Require(context.operand(i).dtype == first.dtype, "operands of different element types");
    context.Require(context.operand(i).shape == first.shape, "operands of different shapes");
  }
  return {.dtype = first.dtype, .shape = first.shape};
}

Contributions ToyGradient(const GradientContext& context) {
  Contributions contributions;
  for (size_t i = 0; i < context.output().operands().size(); ++i) contributions.emplace_back(context.output_gradient());
  return contributions;
}

const OpDef* FindToyOp(std::string_view name) {
  for (const OpDef* op : {&kToyInput, &kToyVariable, &kToyUnary, &kToyBinary, &kToyConcat}) {
    if (*op->name == name) return op;
  }
  return nullptr;
}

Node ToyInput(Graph& graph, std::string_view name, const Shape& shape, DType dtype) {
  return graph.AddNamed(name, kToyInput, {}, {{"dtype", dtype}, {"shape", shape}});
}

Node ToyVariable(Graph& graph, std::string_view name, const Shape& shape, DType dtype) {
  return graph.AddNamed(name, kToyVariable, {}, {{"dtype", dtype}, {"shape", shape}, {"trainable", true}});
}

Node ToyUnary(Node x) { return x.graph().Add(kToyUnary, {x}); }

Node ToyBinary(Node a, Node b) { return a.graph().Add(kToyBinary, {a, b}); }

void ToyChain(Graph& graph, size_t length) {
  Node x = ToyInput(graph, "X");
  for (size_t i = 1; i < length; ++i) x = ToyUnary(x);
}

}  // namespace weft
