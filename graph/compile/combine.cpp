// Pattern matching over straight-line code: from the instruction that ends a combination back to its inputs.
#include "weft/graph/compile/combine.h"

#include <algorithm>
#include <optional>

#include "weft/graph/op.h"

namespace weft {
namespace {

constexpr uint32_t kNone = UINT32_MAX;

class Matcher {
 public:
  Matcher(const Graph& graph, const BlockProgram& program)
      : graph_(graph), program_(program), maker_(program.values, kNone) {
    for (uint32_t i = 0; i < program.instructions.size(); ++i) {
      for (uint32_t output : program.instructions[i].outputs) maker_[output] = i;
    }
  }

  // The instruction that does what `last` and those before it do; nothing, if they are not the parts of `combination`.
  std::optional<Instruction> Match(const Combination& combination, uint32_t last) {
    value_of_.assign(combination.inputs + combination.parts.size(), kNone);
    parts_.clear();
    value_of_.back() = program_.instructions[last].outputs[0];
    for (size_t k = combination.parts.size(); k-- > 0;) {
      if (!MatchPart(combination.parts[k], value_of_[combination.inputs + k])) return std::nullopt;
    }
    for (uint32_t i = 0; i < combination.inputs; ++i) {
      if (IsScalar(value_of_[i]) != (combination.scalars >> i & 1U)) return std::nullopt;
    }
    const std::span inputs(value_of_.data(), combination.inputs);
    Instruction combined = {.kernel = combination.kernel,
                            .attributes = program_.instructions[last].attributes,
                            .inputs = {inputs.begin(), inputs.end()},
                            .outputs = {},
                            .registers = {},
                            .node = program_.instructions[last].node};
    for (uint8_t output : combination.outputs) combined.outputs.push_back(value_of_[output]);
    if (!HidesTheRest(combined, last)) return std::nullopt;
    return combined;
  }

  bool IsPart(uint32_t instruction) const {
    return std::find(parts_.begin(), parts_.end(), instruction) != parts_.end();
  }

 private:
  bool MatchPart(const Combination::Part& part, uint32_t value) {
    if (value == kNone || maker_[value] == kNone) return false;
    const Instruction& instruction = program_.instructions[maker_[value]];
    if (instruction.outputs.size() != 1 || &graph_.op(instruction.node) != part.op) return false;
    parts_.push_back(maker_[value]);
    for (size_t i = 0; i < instruction.inputs.size(); ++i) {
      uint32_t& bound = value_of_[part.operands[i]];
      if (bound == kNone) bound = instruction.inputs[i];
      if (bound != instruction.inputs[i]) return false;
    }
    return true;
  }

  bool IsScalar(uint32_t value) const {
    return std::any_of(program_.reads.begin(), program_.reads.end(),
                       [value](const Binding& read) { return read.value == value && read.cover == Cover::kScalar; });
  }

  // What the combination does not give is used within only; what it gives is not needed before its last part.
  bool HidesTheRest(const Instruction& combined, uint32_t last) const {
    for (uint32_t part : parts_) {
      const uint32_t value = program_.instructions[part].outputs[0];
      const bool given = std::find(combined.outputs.begin(), combined.outputs.end(), value) != combined.outputs.end();
      for (uint32_t i = 0; i < program_.instructions.size(); ++i) {
        const auto& inputs = program_.instructions[i].inputs;
        const bool used = std::find(inputs.begin(), inputs.end(), value) != inputs.end();
        if (used && !IsPart(i) && (!given || i < last)) return false;
      }
      const bool written = std::any_of(program_.writes.begin(), program_.writes.end(),
                                       [value](const Binding& write) { return write.value == value; });
      if (written && !given) return false;
    }
    return true;
  }

  const Graph& graph_;
  const BlockProgram& program_;
  std::vector<uint32_t> maker_;     // of values: an instruction
  std::vector<uint32_t> value_of_;  // of the combination's values: the program's
  std::vector<uint32_t> parts_;     // instructions
};

}  // namespace

void Combine(const Graph& graph, BlockProgram& program) {
  for (uint32_t last = 0; last < program.instructions.size(); ++last) {
    const Combination* const combination = graph.op(program.instructions[last].node).ending;
    if (combination == nullptr) continue;
    Matcher matcher(graph, program);
    std::optional<Instruction> combined = matcher.Match(*combination, last);
    if (!combined) continue;
    std::vector<Instruction> instructions;
    for (uint32_t i = 0; i < program.instructions.size(); ++i) {
      if (i == last) instructions.push_back(std::move(*combined));
      else if (!matcher.IsPart(i)) instructions.push_back(std::move(program.instructions[i]));
    }
    last -= static_cast<uint32_t>(program.instructions.size() - instructions.size());
    program.instructions = std::move(instructions);
  }
}

}  // namespace weft
