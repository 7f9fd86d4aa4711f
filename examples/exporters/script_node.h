// A node on its way into JavaScript.
#pragma once

#include <string>
#include <string_view>

#include "weft/graph/graph.h"

namespace weft {

// What a rule sees of the node that it writes: texts of JavaScript. A value is a typed array, row-major; N is `n`.
class ScriptNode {
 public:
  // Statements are appended to `script`.
  ScriptNode(const Graph& graph, NodeId id, std::string& script) : graph_(graph), id_(id), script_(script) {}

  const TensorType& type() const { return graph_.type(id_); }
  const TensorType& operand_type(size_t i) const { return graph_.type(graph_.operands(id_)[i]); }
  size_t operand_count() const { return graph_.operands(id_).size(); }
  const Attributes& attributes() const { return graph_.attributes(id_); }
  std::string operand(size_t i) const { return VariableOf(graph_.operands(id_)[i]); }

  // The node is this array. `{}` in a call is a new one for it: "fold({}, v3, …)".
  void Array(std::string_view expression);
  // Each element is this expression of elements a, b, c of the operands, and of the attributes that are numbers.
  void Elements(std::string_view expression);

  static std::string VariableOf(NodeId id);

 private:
  const Graph& graph_;
  const NodeId id_;
  std::string& script_;
};

// The number of elements: "n * 784".
std::string CountText(std::span<const Dim> dims);
// "new Float32Array(n * 784)"
std::string NewArrayText(const TensorType& type);
std::string_view ArrayName(DType dtype);  // "Float32Array"

// A text in quotes that ends neither its line nor a <script> that it stands in.
std::string TextLiteral(std::string_view text);

}  // namespace weft
