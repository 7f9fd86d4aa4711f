// Texts of JavaScript.
#include "weft/exporters/script_node.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "weft/exporters/stored_value.h"

namespace weft {

std::string CountText(std::span<const Dim> dims) {
  std::string text;
  for (const Dim dim : dims) {
    if (dim == Dim(1)) continue;
    if (!text.empty()) text += " * ";
    text += dim.is_batch() ? "n" : std::to_string(dim.length());
  }
  return text.empty() ? "1" : text;
}

std::string_view ArrayName(DType dtype) {
  switch (dtype) {
    case DType::kFloat32: return "Float32Array";
    case DType::kFloat64: return "Float64Array";
    case DType::kInt64: return "BigInt64Array";
    case DType::kBool: return "Uint8Array";
  }
  return "";
}

std::string NewArrayText(const TensorType& type) {
  return fmt::format("new {}({})", ArrayName(type.dtype), CountText({type.shape.begin(), type.shape.rank()}));
}

std::string TextLiteral(std::string_view text) {
  constexpr bool kAsciiOnly = true;
  std::string quoted = nlohmann::json(text).dump(-1, ' ', kAsciiOnly);
  for (size_t at = 0; (at = quoted.find('<', at)) != std::string::npos;) quoted.replace(at, 1, "\\u003c");
  return quoted;
}

std::string ScriptNode::VariableOf(NodeId id) { return fmt::format("v{}", Index(id)); }

void ScriptNode::Array(std::string_view expression) {
  std::string text(expression);
  if (const size_t at = text.find("{}"); at != std::string::npos) text.replace(at, 2, NewArrayText(type()));
  fmt::format_to(std::back_inserter(script_), "const {} = {};  // {}\n", VariableOf(id_), text,
                 TextLiteral(ExportedName(graph_, id_)));
}

void ScriptNode::Elements(std::string_view expression) {
  Array("{}");
  const std::string result = VariableOf(id_);
  std::string constants;
  for (const auto& [key, value] : attributes()) {
    if (const double* number = std::get_if<double>(&value)) constants += fmt::format("const {} = {}; ", key, *number);
  }
  std::string elements;
  for (size_t i = 0; i < operand_count(); ++i)
    elements += fmt::format("const {} = {}[i]; ", static_cast<char>('a' + i), operand(i));
  fmt::format_to(std::back_inserter(script_), "{{ {}for (let i = 0; i < {}.length; ++i) {{ {}{}[i] = {}; }} }}\n",
                 constants, result, elements, result, expression);
}

}  // namespace weft
