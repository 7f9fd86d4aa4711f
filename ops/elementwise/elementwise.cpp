// What the elementwise ops share.
#include "weft/ops/elementwise/elementwise.h"

#include <algorithm>
#include <cstring>

#include "weft/ops/all_ops.h"

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
  Graph& graph = operands[0].graph();
  return graph.Add(op, operands, std::move(attributes));
}

SampleSet ElementwiseSamples(size_t arity, const std::vector<Domain>& domains, double ulp,
                             const std::vector<Attributes>& attributes) {
  SampleSet set{.ulp = ulp};
  for (const Attributes& choice : attributes) {
    for (const Shape& shape : {Shape{}, Shape{7}, Shape{3, 5}, Shape{2, 1, 33}, Shape{0, 4}}) {
      set.samples.push_back({.operands = std::vector<Shape>(arity, shape), .attributes = choice, .domains = domains});
    }
  }
  return set;
}

SampleSet Joined(SampleSet first, const SampleSet& second) {
  first.samples.insert(first.samples.end(), second.samples.begin(), second.samples.end());
  first.ulp = std::max(first.ulp, second.ulp);
  first.times_differentiable = std::min(first.times_differentiable, second.times_differentiable);
  return first;
}

std::optional<double> UniformValue(Node node) {
  while (&node.op() == &kBroadcastTo) node = node.operand(0);
  if (&node.op() != &kConstant || !IsFloating(node.dtype())) return std::nullopt;
  const Tensor& value = *node.attributes().Get<std::shared_ptr<const Tensor>>("value");
  if (value.size() == 0) return std::nullopt;
  const std::span<const std::byte> bytes = value.bytes();
  const size_t element = SizeOf(value.dtype());
  // Equal to itself moved by one element: all elements are the first one.
  if (std::memcmp(bytes.data(), bytes.data() + element, bytes.size() - element) != 0) return std::nullopt;
  return value.dtype() == DType::kFloat32 ? static_cast<double>(value.values<float>()[0]) : value.values<double>()[0];
}

}  // namespace weft
