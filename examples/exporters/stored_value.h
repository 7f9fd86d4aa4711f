// Numbers and names that go into a file.
#pragma once

#include <string>
#include <string_view>

#include "weft/graph/runtime/variable_store.h"

namespace weft {

// Of a constant, or of a variable in the store. Throws GraphError for a variable without a value, ExportError for one
// of another type.
const Tensor& StoredValue(const Graph& graph, NodeId id, const VariableStore& variables);

// Throws ExportError naming `what` if the text is no UTF-8, which all text in files is.
void RequireUtf8(std::string_view what, std::string_view text);
// The name of the node. Throws ExportError if it is no UTF-8.
const std::string& ExportedName(const Graph& graph, NodeId id);

}  // namespace weft
