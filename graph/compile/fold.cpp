// Fold: what is computed elementwise from constants alone is computed now, by the op's own kernel, so with the same
// bits.
//
// A broadcast is looked through: Exp(BroadcastTo(2)) becomes BroadcastTo(e²), and no tensor is filled.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "weft/graph/compile/passes.h"
#include "weft/graph/compile/rewriter.h"
#include "weft/graph/floating_point.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

// Above this the constant would cost more memory than its step costs time: 64K f32 are 256 KiB.
constexpr int64_t kMaxFoldedElements = int64_t{64} * 1024;

// A constant, perhaps behind a broadcast.
struct ConstantOperand {
  Node constant;
  std::optional<Node> broadcast;

  const Tensor& value() const { return *constant.attributes().Get<std::shared_ptr<const Tensor>>("value"); }
  bool is_uniform() const { return value().size() == 1; }
  bool LiesLike(const ConstantOperand& other) const {
    return broadcast.has_value() == other.broadcast.has_value() && value().shape() == other.value().shape();
  }
};

std::optional<ConstantOperand> AsConstant(Node node) {
  const auto is_constant = [](const Node& n) { return n.op().is_source(SourceKind::kConstant); };
  if (is_constant(node)) return ConstantOperand{.constant = node, .broadcast = std::nullopt};
  if (node.op().traits.broadcasts && is_constant(node.operand(0)))
    return ConstantOperand{.constant = node.operand(0), .broadcast = node};
  return std::nullopt;
}

// The kernel over the operands' constants; uniform ones stretch to `shape`.
Tensor Evaluate(const Node& node, std::span<const ConstantOperand> operands, const Shape& shape) {
  const DefaultFloatingPoint rounding;
  Tensor result(node.dtype(), shape);
  std::vector<BlockInput> inputs(operands.size());
  for (int64_t begin = 0; begin < result.size(); begin += kBlockElements) {
    const size_t offset = static_cast<size_t>(begin) * SizeOf(node.dtype());
    for (size_t i = 0; i < operands.size(); ++i) {
      const std::byte* const data = operands[i].value().bytes().data();
      inputs[i] = operands[i].is_uniform() ? BlockInput{.data = data, .stride = 0, .row_stride = 0}
                                           : BlockInput{.data = data + offset, .stride = 1, .row_stride = 0};
    }
    const BlockOutput output = {.data = result.bytes().data() + offset, .row_stride = 0};
    std::get<PerBlock>(*node.op().lower)
        .kernel({.dtype = node.dtype(),
                 .rows = 1,
                 .count = static_cast<uint32_t>(std::min<int64_t>(kBlockElements, result.size() - begin)),
                 .inputs = inputs,
                 .outputs = {&output, 1},
                 .attributes = &node.attributes()});
  }
  return result;
}

Node AddConstant(const Node& like, Tensor value) {
  Attributes attributes = like.attributes();
  attributes.Set("value", std::make_shared<const Tensor>(std::move(value)));
  return like.graph().Add(like.op(), {}, std::move(attributes));
}

std::optional<Node> FoldedElementwise(const Node& node) {
  std::vector<ConstantOperand> operands;
  for (size_t i = 0; i < node.operands().size(); ++i) {
    const std::optional<ConstantOperand> operand = AsConstant(node.operand(i));
    if (!operand || operand->constant.dtype() != node.dtype()) return std::nullopt;
    operands.push_back(*operand);
  }
  if (operands.empty() || !IsFloating(node.dtype())) return std::nullopt;

  // The operand that gives the result its shape: one that is not uniform, or else one that is no broadcast.
  const auto rank = [](const ConstantOperand& operand) {
    return operand.is_uniform() ? (operand.broadcast ? 2 : 1) : 0;
  };
  const ConstantOperand shaping = *std::ranges::min_element(operands, {}, rank);
  const auto fits = [&](const ConstantOperand& operand) { return operand.is_uniform() || operand.LiesLike(shaping); };
  const Shape shape = shaping.value().shape();
  if (!std::ranges::all_of(operands, fits) || ElementCount(shape) > kMaxFoldedElements) return std::nullopt;

  const Node constant = AddConstant(shaping.constant, Evaluate(node, operands, shape));
  if (!shaping.broadcast) return constant;
  return node.graph().Add(shaping.broadcast->op(), {constant}, shaping.broadcast->attributes());
}

std::optional<Node> FoldedView(const Node& node) {
  const Node operand = node.operand(0);
  if (!operand.op().is_source(SourceKind::kConstant) || operand.dtype() != node.dtype()) return std::nullopt;
  const Tensor& value = *operand.attributes().Get<std::shared_ptr<const Tensor>>("value");
  if (value.size() > kMaxFoldedElements) return std::nullopt;
  return AddConstant(operand, value.Reshaped(node.shape()));
}

}  // namespace

CompileGraph Fold(CompileGraph state) {
  Rewriter rewriter(std::move(state), "Fold");
  for (uint32_t i = 0; i < rewriter.size(); ++i) {
    const Node node = rewriter.Visit(NodeId{i});
    std::optional<Node> folded;
    if (node.op().is_elementwise()) folded = FoldedElementwise(node);
    if (node.op().is_view()) folded = FoldedView(node);
    if (folded) rewriter.Replace(node.id(), *folded);
  }
  return std::move(rewriter).Finish();
}

}  // namespace weft
