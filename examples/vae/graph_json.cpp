// Nodes, and what stands beside them.
#include "weft/examples/vae/graph_json.h"

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "weft/graph/op.h"

namespace weft {
namespace {

constexpr size_t kShownNumbers = 100;  // of a constant; the text form has them all

Shape WithBatch(const Shape& shape, int64_t batch) {
  std::vector<Dim> dims;
  for (size_t axis = 0; axis < shape.rank(); ++axis) dims.push_back(shape[axis].is_batch() ? Dim(batch) : shape[axis]);
  return Shape(dims);
}

Json ShapeJson(const Shape& shape) {
  Json json = Json::array();
  for (size_t axis = 0; axis < shape.rank(); ++axis)
    json.push_back(shape[axis].is_batch() ? Json("N") : Json(shape[axis].length()));
  return json;
}

struct ValueJson {
  template <class T>
  Json operator()(const T& value) const {
    return value;
  }
  Json operator()(DType dtype) const { return Name(dtype); }
  Json operator()(const Shape& shape) const { return ShapeJson(shape); }
  Json operator()(const std::shared_ptr<const Tensor>& tensor) const {
    Json json = {{"dtype", Name(tensor->dtype())}, {"shape", ShapeJson(tensor->shape())}};
    if (tensor->size() <= static_cast<int64_t>(kShownNumbers)) {
      const Tensor numbers = tensor->Cast(DType::kFloat64);
      json["values"] = std::vector<double>(numbers.values<double>().begin(), numbers.values<double>().end());
    }
    return json;
  }
};

Json NodeJson(const Graph& graph, NodeId id, int64_t batch) {
  const TensorType& type = graph.type(id);
  Json operands = Json::array(), attributes = Json::object();
  for (const NodeId operand : graph.operands(id)) operands.push_back(Index(operand));
  for (const auto& [key, value] : graph.attributes(id)) attributes[key] = std::visit(ValueJson(), value);
  return {{"id", Index(id)},
          {"name", graph.name(id).str()},
          {"scope", graph.name(id).parent().str()},
          {"op", *graph.op(id).name},
          {"type", ToString(type)},
          {"dtype", Name(type.dtype)},
          {"shape", ShapeJson(type.shape)},
          {"kind", Name(type.kind)},
          {"operands", operands},
          {"attributes", attributes},
          {"bytes", ByteSize(type.dtype, WithBatch(type.shape, batch))},
          {"flops", OperationsOf(graph, id, batch)}};
}

Json PairsJson(std::span<const Graph::Pair> pairs) {
  Json json = Json::array();
  for (const auto& [variable, value] : pairs) json.push_back({{"variable", Index(variable)}, {"value", Index(value)}});
  return json;
}

}  // namespace

double OperationsOf(const Graph& graph, NodeId id, int64_t batch) {
  const OpDef& op = graph.op(id);
  const auto elements = [&](NodeId of) {
    return static_cast<double>(ElementCount(WithBatch(graph.type(of).shape, batch)));
  };
  if (*op.name == "MatMul") {  // [M, N]; the left operand has M · K numbers
    const Dim columns = graph.type(id).shape[1];
    return 2 * elements(graph.operands(id)[0]) * static_cast<double>(columns.is_batch() ? batch : columns.length());
  }
  if (op.is_elementwise()) return elements(id);
  return std::holds_alternative<Reduction>(*op.lower) ? elements(graph.operands(id)[0]) : 0;
}

Json GraphJson(const Graph& graph, int64_t batch) {
  Json nodes = Json::array(), edges = Json::array(), aliases = Json::object(), collections = Json::object();
  for (uint32_t i = 0; i < graph.size(); ++i) {
    nodes.push_back(NodeJson(graph, NodeId{i}, batch));
    for (const Edge& edge : graph.uses(NodeId{i}))
      edges.push_back({{"source", Index(edge.source)}, {"target", Index(edge.target)}, {"operand", edge.operand}});
  }
  for (const auto& [alias, id] : graph.aliases()) aliases[alias] = Index(id);
  for (const auto& [key, ids] : graph.collections()) {
    Json members = Json::array();
    for (const NodeId id : ids) members.push_back(Index(id));
    collections[key] = members;
  }
  return {{"format", "weft graph"},
          {"version", 1},
          {"batch", batch},
          {"nodes", nodes},
          {"edges", edges},
          {"aliases", aliases},
          {"collections", collections},
          {"initial_values", PairsJson(graph.initial_values())},
          {"updates", PairsJson(graph.updates())}};
}

}  // namespace weft
