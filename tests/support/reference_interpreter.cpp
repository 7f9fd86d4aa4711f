// Formulas, one after the other.
#include "weft/tests/support/reference_interpreter.h"

#include <algorithm>
#include <optional>

#include "weft/graph/error.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

class Interpreter {
 public:
  Interpreter(Graph& graph, const std::map<NodeId, Tensor>& feeds, const InterpretOptions& options)
      : graph_(graph), feeds_(feeds), options_(options), values_(graph.size()) {
    for (const auto& [variable, value] : graph.initial_values()) initial_values_[variable] = value;
    for (auto feed = feeds.begin(); options_.batch < 0 && feed != feeds.end(); ++feed) {
      options_.batch = BatchOf(graph.type(feed->first).shape, feed->second.shape());
    }
  }

  std::vector<Tensor> Run(std::span<const Node> fetches) {
    std::vector<bool> needed(graph_.size());
    for (const Node& fetch : fetches) needed[Index(fetch.id())] = true;
    for (uint32_t i = static_cast<uint32_t>(graph_.size()); i-- > 0;) {
      if (!needed[i]) continue;
      for (NodeId operand : Sources(NodeId{i})) needed[Index(operand)] = true;
    }
    for (uint32_t i = 0; i < graph_.size(); ++i) {
      if (needed[i]) values_[i] = Value(NodeId{i});
    }
    std::vector<Tensor> results;
    for (const Node& fetch : fetches) results.push_back(*values_[Index(fetch.id())]);
    return results;
  }

 private:
  static int64_t BatchOf(const Shape& symbolic, const Shape& fed) {
    for (size_t axis = 0; axis < std::min(symbolic.rank(), fed.rank()); ++axis) {
      if (symbolic[axis].is_batch()) return fed[axis].length();
    }
    return -1;
  }

  bool IsInitialised(NodeId id) const {
    return graph_.op(id).is_source(SourceKind::kVariable) && initial_values_.contains(id);
  }

  // What the value of a node is computed from.
  std::vector<NodeId> Sources(NodeId id) const {
    if (feeds_.contains(id)) return {};
    if (IsInitialised(id)) return {initial_values_.at(id)};
    const auto operands = graph_.operands(id);
    if (graph_.op(id).traits.chooses_by_mode) return {operands[options_.mode == Mode::kTraining ? 0 : 1]};
    return {operands.begin(), operands.end()};
  }

  Shape Bound(const Shape& shape) const { return options_.batch < 0 ? shape : shape.Bound(options_.batch); }

  [[noreturn]] void Fail(NodeId id, const std::string& reason) const {
    throw GraphError("InterpretReference: '" + graph_.name(id).str() + "': " + reason);
  }

  Tensor Value(NodeId id) {
    const OpDef& op = graph_.op(id);
    const TensorType result = {.dtype = graph_.type(id).dtype, .shape = Bound(graph_.type(id).shape)};
    Tensor value = Unchecked(id, op, result);
    if (value.shape() != result.shape) {
      Fail(id, "got " + ToString(value.shape()) + ", expected " + ToString(result.shape));
    }
    return value;
  }

  Tensor Unchecked(NodeId id, const OpDef& op, const TensorType& result) {
    if (const auto fed = feeds_.find(id); fed != feeds_.end()) return fed->second.Cast(DType::kFloat64);
    std::vector<Tensor> operands;
    for (NodeId source : Sources(id)) {
      if (!values_[Index(source)]) Fail(id, "'" + graph_.name(source).str() + "' comes later");
      operands.push_back(*values_[Index(source)]);
    }
    if (IsInitialised(id) || op.traits.chooses_by_mode) return operands[0];
    if (op.is_source(SourceKind::kVariable)) Fail(id, "is not initialised");
    if (op.is_source(SourceKind::kPlaceholder) && graph_.attributes(id).Find("default") == nullptr) {
      Fail(id, "is not fed");
    }
    if (op.is_source(SourceKind::kRandomState)) {
      return Tensor::Of<double>({2}, {static_cast<double>(options_.seed), static_cast<double>(options_.run)});
    }
    Attributes attributes = graph_.attributes(id);
    for (const auto& [key, attribute] : graph_.attributes(id)) {
      if (const Shape* shape = std::get_if<Shape>(&attribute)) attributes.Set(key, Bound(*shape));
    }
    return EvaluateReference(op, operands, attributes, result);
  }

  Graph& graph_;
  const std::map<NodeId, Tensor>& feeds_;
  InterpretOptions options_;
  std::map<NodeId, NodeId> initial_values_;
  std::vector<std::optional<Tensor>> values_;
};

}  // namespace

std::vector<Tensor> InterpretReference(Graph& graph, std::span<const Node> fetches,
                                       const std::map<NodeId, Tensor>& feeds, const InterpretOptions& options) {
  return Interpreter(graph, feeds, options).Run(fetches);
}

}  // namespace weft
