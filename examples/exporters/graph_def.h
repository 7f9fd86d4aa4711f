// A graph as TensorBoard draws it: the bytes of a GraphDef, for EventFile::AddGraph.
//
// Nodes lie in scopes by the '/' of their names, and arrows are as thick as their tensors.
#pragma once

#include <string>
#include <string_view>

#include "weft/graph/graph.h"

namespace weft {

class RunTrace;

// Each node under its name (see GraphDefName) with its op, operands and attributes, its element type as T and the shape
// of its result in _output_shapes, -1 for N. An update, or the initial value, of a variable V is a node "V>Update", or
// "V>Initialize", that reads the value and has V as its control input.
std::string ToGraphDef(const Graph& graph);

// The name under which TensorBoard sees a node: names of [A-Za-z0-9][A-Za-z0-9_./\\-]* are kept. Any other byte is
// written as '>' and two hexadecimal digits, behind a '.' where the name begins with it; so two names never become one,
// and what was is read back by reading the digits: "Encoder/σ" is "Encoder/>CF>83", "_x" is ".>5Fx".
std::string GraphDefName(std::string_view name);

// When and where each node of a traced run was computed: the bytes of RunMetadata, for EventFile::AddRunMetadata. A
// node is the one that a step is named by; what was fused into its step has no time of its own. Programs of the trace
// must still be there. Of several runs, the last.
std::string ToRunMetadata(const RunTrace& trace);

}  // namespace weft
