// Counting, and writing counts.
#include "weft/examples/vae/figures.h"

#include <array>
#include <string>

#include <fmt/format.h>

#include "weft/graph/op.h"

namespace weft {

ProgramFigures FiguresOf(const Program& program) {
  ProgramFigures figures = {
      .steps = program.steps.size(), .buffers = program.buffers.size(), .arena_bytes = program.arena_bytes};
  for (uint32_t i = 0; i < program.graph.size(); ++i) {
    const NodeId id{i};
    if (*program.graph.op(id).name != "MatMul") continue;
    const Shape& result = program.graph.type(id).shape;  // [M, N]; the left operand has M · K numbers
    const auto left = static_cast<double>(ElementCount(program.graph.type(program.graph.operands(id)[0]).shape));
    figures.flops += 2 * left * static_cast<double>(result[1].length());
  }
  return figures;
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
