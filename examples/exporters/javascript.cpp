// Two lists of statements: what is done once, and what each call does.
#include "weft/exporters/javascript.h"

#include <algorithm>
#include <bit>
#include <cctype>

#include <fmt/format.h>

#include "weft/exporters/base64.h"
#include "weft/exporters/exported_ops.h"
#include "weft/exporters/script_functions.h"
#include "weft/exporters/script_node.h"
#include "weft/exporters/stored_value.h"

namespace weft {
namespace {

static_assert(std::endian::native == std::endian::little, "typed arrays are little-endian wherever browsers run");

bool IsIdentifier(std::string_view name) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '$'; };
  return !name.empty() && std::ranges::all_of(name, fits) && std::isdigit(static_cast<unsigned char>(name[0])) == 0;
}

class Script {
 public:
  Script(const InferencePart& part, const VariableStore& variables)
      : part_(part), graph_(part.graph), variables_(variables), depends_(graph_.size()) {
    for (NodeId input : part.inputs) depends_[Index(input)] = true;
    const std::vector<const ExportedOp*> rows = RowsOf(graph_);
    for (uint32_t i = 0; i < graph_.size(); ++i) Write(NodeId{i}, *rows[i]);
  }

  std::string Text(std::string_view name) const {
    std::string outputs;
    for (NodeId output : part_.outputs)
      outputs += fmt::format("[{}]: {}, ", TextLiteral(ExportedName(graph_, output)), ScriptNode::VariableOf(output));
    return fmt::format(
        "const {} = (() => {{\n\"use strict\";{}\n{}\nreturn (inputs, n) => {{\n"
        "if (!(Number.isInteger(n) && n >= 0)) throw new Error(`N: got ${{n}}, expected a whole number`);\n"
        "{}return {{{}}};\n}};\n}})();\n",
        name, kScriptFunctions, once_, each_, outputs);
  }

 private:
  void Write(NodeId id, const ExportedOp& row) {
    const OpDef& op = graph_.op(id);
    for (NodeId operand : graph_.operands(id)) depends_[Index(id)] = depends_[Index(id)] || depends_[Index(operand)];
    if (!graph_.type(id).shape.is_bound()) depends_[Index(id)] = true;
    ScriptNode node(graph_, id, depends_[Index(id)] ? each_ : once_);
    if (op.is_source(SourceKind::kPlaceholder)) {
      const Shape& shape = graph_.type(id).shape;
      node.Array(fmt::format("input(inputs, {}, {})", TextLiteral(ExportedName(graph_, id)),
                             CountText({shape.begin(), shape.rank()})));
    } else if (op.is_source()) {
      node.Array(fmt::format("new {}(bytes(\"{}\"))", ArrayName(graph_.type(id).dtype),
                             Base64(StoredValue(graph_, id, variables_).bytes())));
    } else if (const auto* expression = std::get_if<std::string_view>(&row.script)) {
      node.Elements(*expression);
    } else {
      std::get<void (*)(ScriptNode&)>(row.script)(node);
    }
  }

  const InferencePart& part_;
  const Graph& graph_;
  const VariableStore& variables_;
  std::vector<bool> depends_;  // on inputs, or on N
  std::string once_, each_;
};

}  // namespace

std::string ToJavaScript(const InferencePart& part, const VariableStore& variables, std::string_view name) {
  if (!IsIdentifier(name)) {
    throw ExportError(fmt::format("name of the function: got '{}', expected letters, digits, _ and $, no digit first",
                                  Escaped(name)));
  }
  return Script(part, variables).Text(name);
}

}  // namespace weft
