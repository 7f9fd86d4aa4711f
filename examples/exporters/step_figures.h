// What the steps of a program do, read off its plan: for traces, profiles and pictures of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weft/graph/compile/program.h"

namespace weft {

// Two for each multiply-add of a matrix product of a bound graph, 0 for any other node.
double ProductFlops(const Graph& graph, NodeId id);

struct StepFigures {
  double flops = 0;   // of a matrix product; the step that does it, not those that prepare its operands
  int64_t bytes = 0;  // of all buffers that it reads, and of all that it writes
};

// One a step.
std::vector<StepFigures> StepFiguresOf(const Program& program);

// "MatMul", "Elementwise" for a fused group, "Columns" for a chain that runs strip by strip, …
std::string KindOf(const Program& program, const Step& step, const StepFigures& figures);

}  // namespace weft
