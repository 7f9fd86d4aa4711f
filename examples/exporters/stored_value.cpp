// What a file must be able to say.
#include "weft/exporters/stored_value.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "weft/exporters/inference_part.h"
#include "weft/graph/op.h"

namespace weft {

const Tensor& StoredValue(const Graph& graph, NodeId id, const VariableStore& variables) {
  if (graph.op(id).is_source(SourceKind::kConstant))
    return *graph.attributes(id).Get<std::shared_ptr<const Tensor>>("value");
  const Tensor& value = variables.Get(graph.name(id));
  if (value.dtype() == graph.type(id).dtype && value.shape() == graph.type(id).shape) return value;
  throw ExportError(fmt::format("variable '{}': got {}, expected {}", Escaped(graph.name(id).str()),
                                ToString(value.type()), ToString(graph.type(id))));
}

void RequireUtf8(std::string_view what, std::string_view text) {
  try {
    nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    throw ExportError(fmt::format("{}: got '{}', expected UTF-8", what, Escaped(text)));
  }
}

const std::string& ExportedName(const Graph& graph, NodeId id) {
  const std::string& name = graph.name(id).str();
  RequireUtf8("name of a node", name);
  return name;
}

}  // namespace weft
