// Counting, and writing counts.
#include "weft/examples/vae/figures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace weft {

ProgramFigures FiguresOf(const Program& program) {
  ProgramFigures figures = {
      .steps = program.steps.size(), .buffers = program.buffers.size(), .arena_bytes = program.arena_bytes};
  for (uint32_t i = 0; i < program.graph.size(); ++i) figures.flops += ProductFlops(program.graph, NodeId{i});
  return figures;
}

double SpeedupBound(const Program& program, int threads) {
  if (program.sequential) return 1;
  std::vector<double> begin(program.steps.size(), 0);  // when the steps before are done
  double work = 0, path = 0;
  for (StepId id = 0; id < program.steps.size(); ++id) {  // a step waits for lower ones only
    const Step& step = program.steps[id];
    const double tasks = std::ceil(static_cast<double>(step.blocks) / step.grain);
    const double end = begin[id] + step.cycles * std::ceil(tasks / threads) / std::max(tasks, 1.0);
    for (const StepId next : program.successors(id)) begin[next] = std::max(begin[next], end);
    work += step.cycles;
    path = std::max(path, end);
  }
  return work / std::max(path, work / threads);
}

std::string Grouped(int64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<int64_t>(text.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3)
    text.insert(static_cast<size_t>(at), ",");
  return text;
}

std::string FlopText(double flops) {
  static constexpr std::array kUnits = {"FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP"};
  size_t unit = 0;
  for (; flops >= 1000 && unit + 1 < kUnits.size(); ++unit) flops /= 1000;
  return fmt::format("{:.3g} {}", flops, kUnits[unit]);
}

}  // namespace weft
