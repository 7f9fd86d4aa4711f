// The table of what can be exported: how other languages say an op, or why they cannot.
#pragma once

#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "weft/graph/op.h"

namespace weft {

class OnnxNode;
class ScriptNode;

// A text, where the other language has the same function, or else a function that writes the node.
template <class WrittenNode>
using ExportRule = std::variant<std::string_view, void (*)(WrittenNode&)>;

struct ExportedOp {
  const OpDef* op;
  ExportRule<OnnxNode> onnx = {};      // the text: an operator of the same operands
  ExportRule<ScriptNode> script = {};  // the text: an element of the result from elements a, b, c of the operands
  std::string_view refusal = {};       // why there is neither: follows "cannot be exported: "
};

std::span<const ExportedOp> ExportedOps();

// The row of each node. Sources but random state have an empty one: a file has other places for them. Throws
// ExportError naming a node without a row, or with one that refuses, before those that it reads.
std::vector<const ExportedOp*> RowsOf(const Graph& graph);

}  // namespace weft
