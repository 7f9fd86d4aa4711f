// Counting.
#include "weft/exporters/step_figures.h"

#include <map>

#include "weft/graph/op.h"

namespace weft {

double ProductFlops(const Graph& graph, NodeId id) {
  if (*graph.op(id).name != "MatMul") return 0;
  const Shape& result = graph.type(id).shape;  // [M, N]; the left operand has M · K numbers
  const auto left = static_cast<double>(ElementCount(graph.type(graph.operands(id)[0]).shape));
  return 2 * left * static_cast<double>(result[1].length());
}

std::vector<StepFigures> StepFiguresOf(const Program& program) {
  std::vector<StepFigures> figures(program.steps.size());
  std::map<NodeId, StepId> product;  // the costliest step of the node
  for (StepId id = 0; id < program.steps.size(); ++id) {
    const Step& step = program.steps[id];
    for (const auto* buffers : {&step.reads, &step.writes}) {
      for (const BufferId at : *buffers) {
        const Buffer& buffer = program.buffers[at];
        figures[id].bytes += buffer.kind == BufferKind::kInStrip ? 0 : buffer.bytes;  // strips stay in the caches
      }
    }
    if (step.kind != StepKind::kOp) continue;
    const auto [place, is_first] = product.try_emplace(step.origin, id);
    if (!is_first && step.cycles > program.steps[place->second].cycles) place->second = id;
  }
  for (const auto& [node, id] : product) figures[id].flops = ProductFlops(program.graph, node);
  return figures;
}

std::string KindOf(const Program& program, const Step& step, const StepFigures& figures) {
  std::string op(*program.graph.op(step.origin).name);
  switch (step.kind) {
    case StepKind::kBlocks: return "Elementwise";
    case StepKind::kStrips: return "Columns";
    case StepKind::kCopy: return "Copy";
    case StepKind::kGuard: return "Guard";
    case StepKind::kReduction: return op;
    case StepKind::kOp: return op == "MatMul" && figures.flops == 0 ? "MatMul, packing" : op;
  }
  return op;
}

}  // namespace weft
