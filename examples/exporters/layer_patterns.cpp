// From the last node of a layer backwards.
#include "weft/exporters/layer_patterns.h"

#include <algorithm>

#include "weft/ops/all_ops.h"

namespace weft {
namespace {

class Matcher {
 public:
  explicit Matcher(const InferencePart& part) : part_(part), graph_(part.graph) {}

  bool Is(NodeId id, const OpDef& op) const { return &graph_.op(id) == &op; }
  // A node of this op whose only user is the layer.
  bool IsInner(NodeId id, const OpDef& op) const { return Is(id, op) && IsReadOnce(part_, id); }
  // Behind a broadcast of the layer's own.
  NodeId Unstretched(NodeId id) const { return IsInner(id, kBroadcastTo) ? Operand(id, 0) : id; }
  NodeId Operand(NodeId id, size_t i) const { return graph_.operands(id)[i]; }
  const Shape& ShapeOf(NodeId id) const { return graph_.type(id).shape; }
  const Attributes& AttributesOf(NodeId id) const { return graph_.attributes(id); }

 private:
  const InferencePart& part_;
  const Graph& graph_;
};

std::optional<double> ScalarOf(const Matcher& match, NodeId id) {
  if (!match.Is(id, kConstant)) return std::nullopt;
  const Tensor value = match.AttributesOf(id).Get<std::shared_ptr<const Tensor>>("value")->Cast(DType::kFloat64);
  return value.size() == 1 ? std::optional(value.values<double>()[0]) : std::nullopt;
}

// gamma / √(variance + epsilon) at `id`: its part of the layer.
bool MatchScale(const Matcher& match, NodeId id, NormalizationLayer& layer) {
  if (!match.IsInner(id, kDivide) || !match.IsInner(match.Operand(id, 1), kSqrt)) return false;
  const NodeId sum = match.Operand(match.Operand(id, 1), 0);
  if (!match.IsInner(sum, kAdd)) return false;
  const std::optional<double> epsilon = ScalarOf(match, match.Unstretched(match.Operand(sum, 1)));
  if (!epsilon) return false;
  layer.gamma = match.Operand(id, 0);
  layer.variance = match.Operand(sum, 0);
  layer.epsilon = *epsilon;
  return true;
}

}  // namespace

bool IsReadOnce(const InferencePart& part, NodeId id) {
  return part.graph.uses(id).size() == 1 && std::ranges::count(part.outputs, id) == 0;
}

std::optional<AffineLayer> AffineLayerAt(const InferencePart& part, NodeId id) {
  const Matcher match(part);
  if (!match.Is(id, kAdd)) return std::nullopt;
  const NodeId product = match.Operand(id, 0);
  const NodeId bias = match.Unstretched(match.Operand(id, 1));
  if (!match.IsInner(product, kMatMul) || match.ShapeOf(bias).rank() > 1) return std::nullopt;
  const Attributes& attributes = match.AttributesOf(product);
  return AffineLayer{.x = match.Operand(product, 0),
                     .w = match.Operand(product, 1),
                     .bias = bias,
                     .transpose_x = attributes.Get<bool>("transpose_left"),
                     .transpose_w = attributes.Get<bool>("transpose_right")};
}

std::optional<NormalizationLayer> NormalizationLayerAt(const InferencePart& part, NodeId id) {
  const Matcher match(part);
  if (!match.Is(id, kAdd) || !match.IsInner(match.Operand(id, 0), kMultiply)) return std::nullopt;
  const NodeId product = match.Operand(id, 0), centered = match.Operand(product, 0);
  if (!match.IsInner(centered, kSubtract)) return std::nullopt;
  NormalizationLayer layer = {.x = match.Operand(centered, 0),
                              .gamma = kNoNode,
                              .beta = match.Unstretched(match.Operand(id, 1)),
                              .mean = match.Unstretched(match.Operand(centered, 1)),
                              .variance = kNoNode,
                              .epsilon = 0};
  if (!MatchScale(match, match.Unstretched(match.Operand(product, 1)), layer)) return std::nullopt;
  const Shape& x = match.ShapeOf(layer.x);
  if (x.rank() != 2) return std::nullopt;
  const Shape features = {x[1]};
  const auto is_of_features = [&](NodeId operand) { return match.ShapeOf(operand) == features; };
  if (!std::ranges::all_of(std::initializer_list<NodeId>{layer.gamma, layer.beta, layer.mean, layer.variance},
                           is_of_features))
    return std::nullopt;
  return layer;
}

}  // namespace weft
