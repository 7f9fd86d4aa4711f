// Combine: some instructions of a fused group become one, whose kernel keeps what is between them in registers.
#pragma once

#include "weft/graph/compile/program.h"

namespace weft {

// Applies what the ops of the instructions offer (OpDef::ending). The same bits: a kernel does what its parts do.
void Combine(const Graph& graph, BlockProgram& program);

}  // namespace weft
