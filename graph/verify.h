// Verify: the specification of a legal graph, as a program.
#pragma once

#include "weft/graph/graph.h"

namespace weft {

// Throws GraphError naming the first node that breaks a rule:
//   operands exist and precede their users, the uses of a node are exactly the operands that name it, no cycle;
//   every name and alias is found and belongs to one node;
//   dtype and shape are what the op's own type rule says of the operands (a kind may have been stated by SetKind);
//   updates and initial values belong to variables, one each, and have their type; collections hold nodes of the graph.
void Verify(const Graph& graph);

}  // namespace weft
