// How units become steps.
#include "weft/graph/compile/emit.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "weft/graph/compile/blocks.h"
#include "weft/graph/compile/combine.h"
#include "weft/graph/compile/iteration_space.h"
#include "weft/graph/compile/layout.h"

namespace weft {
namespace {

// Rough costs in cycles, for the grain only: a read or written 64-byte vector from the L2, and a call of a block
// kernel.
constexpr double kVectorTrafficCycles = 2;
constexpr double kKernelCallCycles = 30;

class Emitter {
 public:
  Emitter(Graph graph, const PartitionResult& partition, const EmitRequest& request, Mode mode)
      : partition_(partition),
        request_(request),
        buffer_of_(graph.size(), Program::kNoBuffer),
        target_of_(graph.size(), Program::kNoBuffer),
        asked_for_(graph.size()),
        reading_products_(graph.size(), 0) {
    program_.graph = std::move(graph);
    program_.mode = mode;
    for (NodeId fetch : request.fetches) asked_for_[Index(Base(fetch))].fetched = true;
    for (NodeId guard : request.guards) asked_for_[Index(Base(guard))].guarded = true;
    for (const auto& [variable, next] : request.updates) {
      asked_for_[Index(Base(next))].next_value = true;
      asked_for_[Index(variable)].updated = true;
    }
    for (const Unit& unit : partition.units) {
      if (unit.node == kNoNode || !program_.graph.op(unit.node).traits.takes_panels) continue;
      for (const UnitInput& input : unit.inputs) ++reading_products_[Index(input.base)];
    }
  }

  Program Run() {
    AddSources();
    OrderUnits();
    program_.steps.reserve(order_.size());  // steps are large
    CopyOldValues();
    for (const auto& [position, unit] : order_) {
      if (position >= guard_position_) EmitGuard();
      EmitUnit(partition_.units[unit]);
    }
    EmitGuard();
    EmitOutputs();
    EmitCopies();
    return std::move(program_);
  }

 private:
  const Graph& graph() const { return program_.graph; }
  NodeId Base(NodeId id) const { return partition_.base[Index(id)]; }

  BufferId AddBuffer(Buffer buffer) {
    program_.buffers.push_back(buffer);
    return static_cast<BufferId>(program_.buffers.size() - 1);
  }
  BufferId Scratch(int64_t bytes) { return AddBuffer({.bytes = PaddedByteSize(bytes)}); }

  // The buffer of a node that has one, made when first asked for.
  BufferId BufferOf(NodeId id) {
    BufferId& buffer = buffer_of_[Index(Base(id))];
    if (buffer == Program::kNoBuffer) {
      buffer = AddBuffer(BufferFor(Base(id), partition_.layouts[Index(Base(id))]));
    }
    return buffer;
  }

  Buffer BufferFor(NodeId base, Layout layout) const {
    const TensorType& type = graph().type(base);
    Shape shape = type.shape;
    if (layout == Layout::kPanels)
      shape = {shape[0], CeilDivide(shape[1].length(), PanelWidth(type.dtype)) * PanelWidth(type.dtype)};
    return {.layout = layout, .node = base, .bytes = PaddedByteSize(type.dtype, shape)};
  }

  // The buffer of a value in this layout; made by a copy, if the value lies in the other one.
  BufferId BufferIn(NodeId id, Layout layout) {
    const NodeId base = Base(id);
    const BufferId own = BufferOf(base);
    if (program_.buffers[own].layout == layout) return own;
    const auto [found, is_new] = copies_.try_emplace(own, Program::kNoBuffer);
    if (is_new) {
      found->second = AddBuffer(BufferFor(base, layout));
      EmitCopy(own, found->second, base);
    }
    return found->second;
  }

  // A value read as it is, not through a view, may be read in panels.
  Layout LayoutFor(NodeId operand, bool takes_panels) const {
    if (!takes_panels || Base(operand) != operand) return Layout::kRowMajor;
    return partition_.layouts[Index(operand)];
  }

  void AddSources() {
    for (uint32_t i = 0; i < graph().size(); ++i) {
      const NodeId id{i};
      const OpDef& op = graph().op(id);
      if (!op.is_source()) continue;
      const bool updated = asked_for_[i].updated;
      if (!partition_.needs_buffer[i] && !updated) continue;
      const BufferId buffer = BufferOf(id);
      Buffer& record = program_.buffers[buffer];
      switch (std::get<Source>(*op.lower).kind) {
        case SourceKind::kPlaceholder: {
          record.pinned = true;
          const AttributeValue* value = graph().attributes(id).Find("default");
          program_.inputs.push_back({.node = id,
                                     .buffer = buffer,
                                     .has_default = value != nullptr,
                                     .default_value = value ? std::get<double>(*value) : 0.0});
          break;
        }
        case SourceKind::kVariable:
          record.kind = BufferKind::kInStore;
          record.offset = static_cast<int64_t>(program_.variables.size());
          program_.variables.push_back(
              {.node = id, .buffer = buffer, .read = partition_.needs_buffer[i] != 0, .written = updated});
          break;
        case SourceKind::kConstant:
          record.kind = BufferKind::kInProgram;
          record.offset = static_cast<int64_t>(program_.constants.size());
          program_.constants.push_back(graph().attributes(id).Get<std::shared_ptr<const Tensor>>("value").get());
          break;
        case SourceKind::kRandomState:
          record.pinned = true;
          program_.random_state = buffer;
          break;
      }
    }
  }

  // ---- Updates ------------------------------------------------------------------------------------------------------

  // Gives target buffers to next values that may go straight to their variable: made by a fused group whose results
  // nobody else reads, so that it can wait for all readers of its variables without anybody waiting for it. Then puts
  // the units in order: a waiting one stands behind its inputs, the readers of its variables, and the guard.
  void OrderUnits() {
    const auto& units = partition_.units;
    std::vector<size_t> maker(graph().size(), SIZE_MAX);
    for (size_t u = 0; u < units.size(); ++u) {
      if (units[u].node != kNoNode) maker[Index(units[u].node)] = u;
      for (NodeId id : units[u].elementwise) maker[Index(id)] = u;
    }
    std::vector<char> is_read(units.size(), 0);
    std::vector<std::vector<size_t>> readers(graph().size());
    for (size_t u = 0; u < units.size(); ++u) {
      for (const UnitInput& input : units[u].inputs) {
        readers[Index(input.base)].push_back(u);
        if (maker[Index(input.base)] != SIZE_MAX) is_read[maker[Index(input.base)]] = 1;
      }
    }
    size_t guard = 0;  // position behind the makers of all guards
    for (NodeId id : request_.guards) {
      const size_t u = maker[Index(Base(id))];
      if (u == SIZE_MAX) continue;
      is_read[u] = 1;
      guard = std::max(guard, u + 1);
    }
    std::vector<char> waits(units.size(), 0);
    const auto may_wait = [&](const Graph::Pair& update) {
      const size_t u = maker[Index(update.second)];
      return Base(update.second) == update.second && u != SIZE_MAX && units[u].node == kNoNode && !is_read[u] &&
             !IsFetched(update.second);
    };
    for (const Graph::Pair& update : request_.updates) {
      if (may_wait(update)) waits[maker[Index(update.second)]] = 1;
    }
    std::vector<size_t> behind(units.size(), 0);
    for (const Graph::Pair& update : request_.updates) {
      const NodeId variable = update.first, next = update.second;  // names that a lambda may capture
      if (!may_wait(update) || target_of_[Index(next)] != Program::kNoBuffer) continue;
      const size_t u = maker[Index(next)];
      const auto& others = readers[Index(variable)];
      // A reader that waits itself could be waiting for this one; and a value must be read where it is overwritten.
      if (std::any_of(others.begin(), others.end(), [&](size_t r) { return r != u && waits[r]; })) continue;
      if (partition_.layouts[Index(next)] != partition_.layouts[Index(variable)]) continue;
      if (std::any_of(units[u].inputs.begin(), units[u].inputs.end(),
                      [&](const UnitInput& input) { return input.base == variable && input.shape != units[u].shape; }))
        continue;
      target_of_[Index(next)] = buffer_of_[Index(variable)];
      for (size_t r : others) behind[u] = std::max(behind[u], r == u ? 0 : r + 1);
    }
    std::vector<size_t> position(units.size());
    std::iota(position.begin(), position.end(), size_t{0});
    for (size_t u = 0; u < units.size(); ++u) {
      if (!waits[u]) continue;
      position[u] = std::max({behind[u], u, guard});
      // The result of an op that it alone reads is made just before it, so that it is still in the cache; unless the op
      // reads a variable, which might be updated by then.
      for (const UnitInput& input : units[u].inputs) {
        const size_t m = maker[Index(input.base)];
        const bool moves = m != SIZE_MAX && units[m].node == input.base && readers[Index(input.base)].size() == 1 &&
                           !IsWanted(input.base) &&
                           std::none_of(units[m].inputs.begin(), units[m].inputs.end(), [this](const UnitInput& read) {
                             return graph().op(read.base).is_source(SourceKind::kVariable);
                           });
        if (moves) position[m] = position[u];
      }
    }
    for (size_t u = 0; u < units.size(); ++u) order_.emplace_back(position[u], u);
    std::stable_sort(order_.begin(), order_.end(), [&](const auto& a, const auto& b) {
      return a.first != b.first ? a.first < b.first : waits[a.second] < waits[b.second];
    });
    guard_position_ = guard;
  }

  bool IsFetched(NodeId id) const { return asked_for_[Index(Base(id))].fetched; }
  bool IsWanted(NodeId id) const {
    const AskedFor& asked = asked_for_[Index(id)];
    return asked.fetched || asked.guarded || asked.next_value;
  }

  // ---- Steps --------------------------------------------------------------------------------------------------------

  void EmitUnit(const Unit& unit) {
    if (unit.node == kNoNode) EmitGroup(unit);
    else if (IsReduction(unit.node)) EmitReduction(unit);
    else EmitOp(unit);
  }

  // The instructions of `nodes` over the space that `shape` makes when it is cut at `split`.
  BlockProgram MakeBlockProgram(const Unit& unit, size_t split) {
    const std::span<const Dim> dims(unit.shape.begin(), unit.shape.rank());
    BlockProgram block;
    block.dtype = graph().type(unit.elementwise.empty() ? unit.node : unit.elementwise[0]).dtype;
    block.layout = unit.layout;
    block.rows = ElementCount(dims.first(split));
    block.columns = ElementCount(dims.subspan(split));
    block.reads.reserve(unit.inputs.size());
    block.instructions.reserve(unit.elementwise.size());
    const auto value_of = [&](NodeId operand) {
      const auto made = std::ranges::find(block.instructions, operand, &Instruction::node);
      if (made != block.instructions.end()) return made->outputs[0];
      const auto [at_node, input] = ReadOf(unit, operand);
      const Cover cover = CoverAt(input.shape, unit.shape, split);
      const Layout layout = LayoutFor(at_node, unit.layout == Layout::kPanels && cover == Cover::kFull);
      const BufferId buffer = BufferIn(input.base, layout);
      const auto same = [&](const Binding& read) { return read.buffer == buffer && read.cover == cover; };
      if (const auto read = std::ranges::find_if(block.reads, same); read != block.reads.end()) return read->value;
      block.reads.push_back({.value = block.values, .cover = cover, .buffer = buffer, .layout = layout});
      return block.values++;
    };
    for (NodeId id : unit.elementwise) {
      Instruction instruction{.kernel = std::get<PerBlock>(*graph().op(id).lower).kernel,
                              .attributes = &graph().attributes(id),
                              .inputs = {},
                              .outputs = {},
                              .registers = {},
                              .node = id};
      const auto operands = graph().operands(id);
      instruction.inputs.reserve(operands.size());
      for (NodeId operand : operands) instruction.inputs.push_back(value_of(operand));
      const uint32_t value = block.values++;
      instruction.outputs = {value};
      block.instructions.push_back(std::move(instruction));
      if (partition_.needs_buffer[Index(id)]) {
        block.writes.push_back(
            {.value = value,
             .cover = Cover::kFull,
             .buffer = target_of_[Index(id)] != Program::kNoBuffer ? target_of_[Index(id)] : BufferOf(id),
             .layout = partition_.layouts[Index(id)]});
      }
    }
    if (unit.elementwise.empty()) value_of(graph().operands(unit.node)[0]);
    // A fold reads the last value.
    const uint32_t kept = unit.node != kNoNode && !unit.elementwise.empty() ? block.values - 1 : UINT32_MAX;
    Combine(graph(), block);
    AssignRegisters(block, kept);
    return block;
  }

  bool IsReduction(NodeId id) const { return std::holds_alternative<Reduction>(*graph().op(id).lower); }

  // What is read for an operand: behind broadcasts without a buffer, the node, and its place among the inputs.
  std::pair<NodeId, UnitInput> ReadOf(const Unit& unit, NodeId operand) const {
    for (NodeId at = operand;; at = graph().operands(at)[0]) {
      const Shape& shape = graph().type(at).shape;
      for (const UnitInput& input : unit.inputs) {
        if (input.base == Base(at) && input.shape == shape) return {at, input};
      }
    }
  }

  // A register is free again after the last instruction that reads its value. `kept`: read after the last instruction.
  static void AssignRegisters(BlockProgram& block, uint32_t kept) {
    std::vector<size_t> last_use(block.values, 0);
    for (size_t i = 0; i < block.instructions.size(); ++i) {
      for (uint32_t output : block.instructions[i].outputs) last_use[output] = i;
      for (uint32_t input : block.instructions[i].inputs) last_use[input] = i;
    }
    if (kept < block.values) last_use[kept] = block.instructions.size();
    for (const Binding& write : block.writes)
      last_use[write.value] = block.instructions.size();  // may be stored at the end
    std::vector<uint32_t> free;
    std::vector<uint32_t> reg_of(block.values, UINT32_MAX);
    for (size_t i = 0; i < block.instructions.size(); ++i) {
      Instruction& instruction = block.instructions[i];
      for (uint32_t output : instruction.outputs) {
        if (free.empty()) free.push_back(block.registers++);
        instruction.registers.push_back(reg_of[output] = free.back());
        free.pop_back();
      }
      // Freed only now: an instruction never writes where it reads, so kernels need not care.
      const auto release = [&](uint32_t value) {
        if (last_use[value] == i && reg_of[value] != UINT32_MAX)
          free.push_back(std::exchange(reg_of[value], UINT32_MAX));
      };
      for (uint32_t input : instruction.inputs) release(input);
      for (uint32_t output : instruction.outputs) release(output);
    }
  }

  static void Collect(Step& step) {
    const auto add = [](std::vector<BufferId>& list, BufferId buffer) {
      if (std::find(list.begin(), list.end(), buffer) == list.end()) list.push_back(buffer);
    };
    for (const Binding& binding : step.program.reads) add(step.reads, binding.buffer);
    for (const Binding& binding : step.program.writes) add(step.writes, binding.buffer);
  }

  // Cycles of the block program for one element.
  double CyclesPerElement(const BlockProgram& block) const {
    double vector = kVectorTrafficCycles * static_cast<double>(block.reads.size() + block.writes.size());
    for (const Instruction& instruction : block.instructions)
      vector += graph().op(instruction.node).traits.vector_cycles;
    return vector * static_cast<double>(SizeOf(block.dtype)) / 64;
  }

  // The cut that gives the longest rows: without rows or columns among the reads, a single row.
  static size_t ChooseSplit(const Unit& unit) {
    if (unit.layout == Layout::kPanels) return 1;
    for (size_t split = 0; split <= unit.shape.rank(); ++split) {
      if ((unit.splits >> split & 1u) != 0) return split;
    }
    return 0;
  }

  void EmitGroup(const Unit& unit) {
    Step step{{.kind = StepKind::kBlocks,
               .program = MakeBlockProgram(unit, ChooseSplit(unit)),
               .origin = unit.elementwise.back()}};
    step.dtype = step.program.dtype;
    step.blocks = BlockCount(step.program);
    const auto elements = static_cast<double>(step.program.rows * step.program.columns);
    step.cycles = elements * CyclesPerElement(step.program) +
                  kKernelCallCycles * static_cast<double>(step.blocks * step.program.instructions.size());
    Push(std::move(step));
  }

  void EmitReduction(const Unit& unit) {
    const auto split = ChooseSplit(unit);
    const Attributes& attributes = graph().attributes(unit.node);
    const std::span<const Dim> dims(unit.shape.begin(), unit.shape.rank());
    const auto axis = static_cast<size_t>(attributes.Get<int64_t>("axis"));
    const auto count = static_cast<size_t>(attributes.Get<int64_t>("count"));
    Step step{{.kind = StepKind::kReduction, .program = MakeBlockProgram(unit, split), .origin = unit.node}};
    step.dtype = step.program.dtype;
    ReductionPlan& plan = step.reduction;
    plan = {.kernels = std::get<Reduction>(*graph().op(unit.node).lower).kernels,
            .outer = ElementCount(dims.first(axis)),
            .length = ElementCount(dims.subspan(axis, count)),
            .inner = ElementCount(dims.subspan(axis + count))};
    plan.source = step.program.values - 1;
    step.cycles = static_cast<double>(plan.outer * plan.length * plan.inner) * CyclesPerElement(step.program);
    // Segments of a length that is fixed by the shape; their partial results are folded by a step of the same kind.
    while (true) {
      plan.segment = SegmentLength(plan);
      const int64_t segments = plan.segments = std::max<int64_t>(1, CeilDivide(plan.length, plan.segment));
      const BufferId target =
          segments > 1 ? Scratch(ByteSize(step.dtype, {plan.outer, segments, plan.inner})) : BufferOf(unit.node);
      step.blocks = BlockCount(step);
      step.writes = {target};
      const ReductionPlan done = plan;
      Push(step);
      if (segments <= 1) return;
      step.program = {.dtype = step.dtype,
                      .rows = done.inner == 1 ? done.outer : done.outer * segments,
                      .columns = done.inner == 1 ? segments : done.inner,
                      .values = 1,
                      .reads = {{.value = 0, .cover = Cover::kFull, .buffer = target}}};
      step.reads.clear();
      step.cycles /= static_cast<double>(done.segment);
      plan = done;
      plan.length = segments;
      plan.source = 0;
    }
  }

  void EmitOp(const Unit& unit) {
    std::vector<TensorType> operand_types;
    const auto operands = graph().operands(unit.node);
    const bool takes_panels = graph().op(unit.node).traits.takes_panels;
    std::vector<Layout> layouts;
    std::vector<BufferId> operand_buffers;
    for (NodeId operand : operands) {
      layouts.push_back(takes_panels && SharesPanels(operand) ? Layout::kPanels : LayoutFor(operand, takes_panels));
      operand_buffers.push_back(BufferIn(operand, layouts.back()));
    }
    LoweringContext lowered = Lower(graph(), unit.node, operand_types, layouts, partition_.layouts[Index(unit.node)]);
    std::vector<BufferId> scratch;
    for (int64_t bytes : lowered.scratch_bytes) scratch.push_back(Scratch(bytes));
    const auto buffer = [&](StepBuffer which) {
      const auto code = static_cast<uint32_t>(which);
      if (which == StepBuffer::kResult) return BufferOf(unit.node);
      if ((code & static_cast<uint32_t>(StepBuffer::kScratch)) != 0)
        return scratch[code & ~static_cast<uint32_t>(StepBuffer::kScratch)];
      return operand_buffers[code];
    };
    for (StepSpec& spec : lowered.steps) {
      Step step{{.kind = StepKind::kOp, .dtype = graph().type(unit.node).dtype, .origin = unit.node}};
      step.run = spec.run;
      step.numbers = std::move(spec.numbers);
      for (StepBuffer read : spec.reads) step.reads.push_back(buffer(read));
      for (StepBuffer write : spec.writes) step.writes.push_back(buffer(write));
      step.op_reads = step.reads.size();
      step.op_writes = step.writes.size();
      step.blocks = spec.blocks;
      step.cycles = spec.block_cycles * spec.blocks;
      if (const Shape& shape = graph().type(unit.node).shape; shape.rank() == 2) {
        step.pieces = spec.pieces;
        step.rows = shape[0].length();
        step.columns = shape[1].length();
      }
      Push(std::move(step));
    }
  }

  // A fed matrix that several products read is put into panels once, by a copy.
  bool SharesPanels(NodeId operand) const {
    return Base(operand) == operand && FitsPanels(graph().type(operand)) && reading_products_[Index(operand)] > 1;
  }

  void Push(Step step) {
    Collect(step);
    const auto writes_variable = [this](BufferId buffer) {
      return program_.buffers[buffer].kind == BufferKind::kInStore;
    };
    if (guard_token_ != Program::kNoBuffer && std::any_of(step.writes.begin(), step.writes.end(), writes_variable))
      step.reads.push_back(guard_token_);
    program_.steps.push_back(std::move(step));
  }

  // ---- Ends ---------------------------------------------------------------------------------------------------------

  void EmitGuard() {
    if (request_.guards.empty() || guard_token_ != Program::kNoBuffer) return;
    Step step{{.kind = StepKind::kGuard, .origin = request_.guards[0]}};
    for (NodeId guard : request_.guards) step.reads.push_back(BufferOf(guard));
    step.dtype = graph().type(request_.guards[0]).dtype;
    guard_token_ = Scratch(kAlignment);
    step.writes = {guard_token_};
    Push(std::move(step));
  }

  void EmitCopy(BufferId from, BufferId to, NodeId origin) {
    Step step{{.kind = StepKind::kCopy,
               .reads = {from},
               .writes = {to},
               .dtype = graph().type(origin).dtype,
               .cycles = static_cast<double>(program_.buffers[from].bytes) / 8,
               .origin = origin}};
    if (program_.buffers[from].layout != program_.buffers[to].layout) {
      step.rows = graph().type(origin).shape[0].length();
      step.columns = graph().type(origin).shape[1].length();
      step.blocks = BlockCount(step);
    }
    Push(std::move(step));
  }

  // A variable that is fetched, or is the next value of another, means what it was before the update: copied first of
  // all.
  void CopyOldValues() {
    const auto copy = [this](NodeId id) {
      if (!graph().op(Base(id)).is_source(SourceKind::kVariable)) return;
      const BufferId buffer = BufferOf(id);
      const Buffer record = program_.buffers[buffer];
      if (!program_.variables[static_cast<size_t>(record.offset)].written || old_value_.contains(buffer)) return;
      const BufferId old = AddBuffer(BufferFor(Base(id), Layout::kRowMajor));
      old_value_.emplace(buffer, old);
      EmitCopy(buffer, old, id);
    };
    for (NodeId fetch : request_.fetches) copy(fetch);
    for (const Graph::Pair& update : request_.updates) copy(update.second);
  }

  BufferId OldValue(NodeId id) {
    const auto found = old_value_.find(BufferOf(id));
    return found == old_value_.end() ? BufferIn(id, Layout::kRowMajor) : found->second;
  }

  // In the layout of its variable, if it is to be had without another copy.
  BufferId NextValue(NodeId next, BufferId variable) {
    const BufferId own = BufferOf(next);
    return program_.buffers[own].layout == program_.buffers[variable].layout && !old_value_.contains(own)
               ? own
               : OldValue(next);
  }

  void EmitOutputs() {
    for (NodeId fetch : request_.fetches) {
      const BufferId buffer = OldValue(fetch);
      if (program_.buffers[buffer].kind == BufferKind::kArena) program_.buffers[buffer].pinned = true;
      program_.outputs.push_back(buffer);
      program_.output_types.push_back(graph().type(fetch));
    }
  }

  // Next values that could not go straight to their variable.
  void EmitCopies() {
    for (const auto& [variable, next] : request_.updates) {
      const BufferId target = buffer_of_[Index(variable)];
      if (target_of_[Index(next)] != target)
        EmitCopy(target_of_[Index(next)] != Program::kNoBuffer ? target_of_[Index(next)] : NextValue(next, target),
                 target, variable);
    }
  }

  // What the request says of a node: the first three of the node whose buffer holds it.
  struct AskedFor {
    bool fetched = false, guarded = false, next_value = false, updated = false;
  };

  const PartitionResult& partition_;
  const EmitRequest& request_;
  Program program_;
  std::vector<BufferId> buffer_of_;
  std::vector<BufferId> target_of_;  // of a next value: its variable's buffer
  std::vector<AskedFor> asked_for_;
  std::vector<uint32_t> reading_products_;  // of a node: units that take panels
  std::map<BufferId, BufferId> old_value_;
  std::map<BufferId, BufferId> copies_;           // in the other layout
  std::vector<std::pair<size_t, size_t>> order_;  // position, unit
  size_t guard_position_ = 0;
  BufferId guard_token_ = Program::kNoBuffer;
};

}  // namespace

Program Emit(Graph graph, const PartitionResult& partition, const EmitRequest& request, Mode mode) {
  return Emitter(std::move(graph), partition, request, mode).Run();
}

}  // namespace weft
