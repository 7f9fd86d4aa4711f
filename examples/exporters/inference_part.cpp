// Backwards to see what is needed, forwards to copy it.
#include "weft/exporters/inference_part.h"

#include <algorithm>

#include <fmt/format.h>

#include "weft/graph/algorithms.h"
#include "weft/graph/op.h"
#include "weft/ops/all_ops.h"

namespace weft {
namespace {

class Copier {
 public:
  Copier(const Graph& from, std::span<const NodeId> inputs, std::span<const NodeId> outputs)
      : from_(from), is_input_(Marked(inputs)), is_output_(Marked(outputs)), now_(from.size(), kNoNode) {}

  void CopyAll() {
    std::vector<bool> needed(from_.size());
    for (size_t i = from_.size(); i-- > 0;) {
      needed[i] = needed[i] || is_input_[i] || is_output_[i];
      if (!needed[i]) continue;
      for (NodeId operand : Operands(NodeId{static_cast<uint32_t>(i)})) needed[Index(operand)] = true;
    }
    for (uint32_t i = 0; i < from_.size(); ++i) {
      if (needed[i]) now_[i] = Copy(NodeId{i}).id();
    }
  }

  // Each once.
  std::vector<NodeId> Now(std::span<const NodeId> ids) const {
    std::vector<NodeId> now;
    for (NodeId id : ids) {
      if (std::ranges::count(now, now_[Index(id)]) == 0) now.push_back(now_[Index(id)]);
    }
    return now;
  }

  Graph Take() && { return std::move(part_); }

 private:
  std::vector<bool> Marked(std::span<const NodeId> ids) const {
    std::vector<bool> marked(from_.size());
    for (NodeId id : ids) {
      if (Index(id) >= from_.size())
        throw GraphError(fmt::format("export: got node {}, expected one of the graph's {}", Index(id), from_.size()));
      marked[Index(id)] = true;
    }
    return marked;
  }

  // Of what is left of the node: one, if it is what it reads.
  std::span<const NodeId> Operands(NodeId id) const {
    if (is_input_[Index(id)]) return {};
    return from_.op(id).traits.chooses_by_mode ? from_.operands(id).subspan(1, 1) : from_.operands(id);
  }

  Node Copy(NodeId id) {
    const OpDef& op = from_.op(id);
    const TensorType& type = from_.type(id);
    std::vector<Node> operands;
    for (NodeId operand : Operands(id)) operands.push_back(part_.node(now_[Index(operand)]));
    const auto add = [&](const OpDef& as, Attributes attributes) {
      const Node node = part_.AddAt(from_.name(id), as, operands, std::move(attributes));
      part_.SetKind(node, type.kind);
      return node;
    };
    if (is_input_[Index(id)]) return add(kPlaceholder, {{"dtype", type.dtype}, {"shape", type.shape}});
    if (op.is_source(SourceKind::kPlaceholder)) {
      operands.push_back(Default(id));
      return add(kBroadcastTo, {{"shape", type.shape}});
    }
    if (!op.traits.chooses_by_mode && &op != &kStopGradient) return add(op, from_.attributes(id));
    return is_output_[Index(id)] ? add(kReshape, {{"shape", type.shape}}) : operands[0];
  }

  // The number that a placeholder is where nothing is fed.
  Node Default(NodeId id) {
    const Attributes& attributes = from_.attributes(id);
    if (attributes.Find("default") == nullptr) {
      throw ExportError(fmt::format("export: placeholder '{}': got no value, expected it among the inputs",
                                    Escaped(from_.name(id).str())));
    }
    Path name = from_.name(id) / Path("Default");
    while (from_.FindId(name) != kNoNode) name = Path(name.str() + "_");
    const Tensor value = Tensor::Scalar(attributes.Get<double>("default")).Cast(from_.type(id).dtype);
    return part_.AddAt(name, kConstant, {}, {{"value", std::make_shared<const Tensor>(value)}});
  }

  const Graph& from_;
  const std::vector<bool> is_input_, is_output_;
  Graph part_;
  std::vector<NodeId> now_;  // by the id that a node had
};

}  // namespace

InferencePart InferencePartOf(const Graph& graph, std::span<const NodeId> inputs, std::span<const NodeId> outputs) {
  Copier copier(graph, inputs, outputs);
  copier.CopyAll();
  InferencePart part = {.graph = {}, .inputs = copier.Now(inputs), .outputs = copier.Now(outputs)};
  part.graph = std::move(copier).Take();

  std::vector<NodeId> ends = part.inputs;
  ends.insert(ends.end(), part.outputs.begin(), part.outputs.end());
  const std::vector<NodeId> now = part.graph.Retain(CanonicalOrder(part.graph, ends));
  for (NodeId& input : part.inputs) input = now[Index(input)];
  for (NodeId& output : part.outputs) output = now[Index(output)];
  return part;
}

InferencePart InferencePartOf(const Graph& graph, std::initializer_list<Node> inputs,
                              std::initializer_list<Node> outputs) {
  const auto ids_of = [](std::initializer_list<Node> nodes) {
    std::vector<NodeId> ids;
    for (const Node& node : nodes) ids.push_back(node.id());
    return ids;
  };
  return InferencePartOf(graph, ids_of(inputs), ids_of(outputs));
}

}  // namespace weft
