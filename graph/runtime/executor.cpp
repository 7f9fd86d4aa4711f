// Ready counters over a task runner.
#include "weft/graph/runtime/executor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "weft/graph/compile/blocks.h"
#include "weft/graph/runtime/block_program.h"
#include "weft/graph/runtime/panels.h"

namespace weft {
namespace {

// A step below this (7 µs at 3 GHz) is done by the thread that made it ready: waking another costs as much.
constexpr double kSpawnCycles = 20'000;

// Default rounding, no flushing of small numbers, all exceptions masked: for as long as the object lives.
class DefaultFloatingPoint {
 public:
#if defined(__SSE2__)
  DefaultFloatingPoint() : saved_(_mm_getcsr()) { _mm_setcsr(0x1F80); }
  ~DefaultFloatingPoint() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
#endif
};

struct Run {
  const Program& program;
  Workspace& workspace;
};

struct ChainContext {
  const Step* step;
  BufferAddresses buffers;
  std::byte* strips;
};

void RunChainOf(const void* context, const Piece& piece) {
  const auto& chain = *static_cast<const ChainContext*>(context);
  RunChain(*chain.step, chain.buffers, chain.strips, piece);
}

size_t StreamsOfChain(const void* context, const Piece& piece, std::span<Stream> streams) {
  const auto& chain = *static_cast<const ChainContext*>(context);
  return ChainStreams(*chain.step, chain.buffers, piece, streams);
}

void RunOp(const Step& step, const Program& program, Workspace& workspace, std::byte* strips, uint32_t begin,
           uint32_t end) {
  constexpr size_t kInline = 16;  // operands of an op; a concatenation may have more
  std::array<const std::byte*, kInline> read_array;
  std::vector<const std::byte*> read_list;
  std::span<const std::byte*> reads(read_array.data(), std::min(step.op_reads, kInline));
  if (step.op_reads > kInline) {
    read_list.resize(step.op_reads);
    reads = read_list;
  }
  std::array<std::byte*, kInline> writes;
  for (size_t i = 0; i < step.op_reads; ++i) reads[i] = workspace.buffer(step.reads[i]);
  for (size_t i = 0; i < step.op_writes; ++i) writes[i] = workspace.buffer(step.writes[i]);
  const bool is_strip = step.op_writes > 0 && program.buffers[step.writes[0]].kind == BufferKind::kInStrip;
  if (is_strip) writes[0] = strips + program.buffers[step.writes[0]].offset;
  const ChainContext context{&step, workspace.buffers(), strips};
  const Epilogue epilogue{RunChainOf, StreamsOfChain, &context};
  step.run({.reads = reads,
            .writes = std::span(writes.data(), step.op_writes),
            .numbers = step.numbers,
            .dtype = step.dtype,
            .attributes = &program.graph.attributes(step.origin),
            .epilogue = step.chain.empty() ? nullptr : &epilogue,
            .is_result_strip = is_strip},
           begin, end);
}

void RunOpOnStrips(const Step& step, const Program& program, Workspace& workspace, uint32_t begin, uint32_t end) {
  StripMemory strips;
  RunOp(step, program, workspace, strips.bytes, begin, end);
}

void Copy(const Step& step, const Program& program, Workspace& workspace, uint32_t begin, uint32_t end) {
  const std::byte* const from = workspace.buffer(step.reads[0]);
  std::byte* const to = workspace.buffer(step.writes[0]);
  const Buffer &source = program.buffers[step.reads[0]], &target = program.buffers[step.writes[0]];
  if (source.layout == target.layout) {
    std::memcpy(to, from, static_cast<size_t>(target.bytes) - kAlignment);
    return;
  }
  const int64_t rows = RowsPerCopy(step);
  const auto convert = target.layout == Layout::kPanels ? ToPanels : FromPanels;
  convert(from, step.rows, step.columns, static_cast<int64_t>(SizeOf(step.dtype)), begin * rows,
          std::min(step.rows, end * rows), to);
}

void CheckGuard(const Step& step, Workspace& workspace) {
  for (BufferId read : step.reads) {
    double value = 0;
    if (step.dtype == DType::kFloat64) std::memcpy(&value, workspace.buffer(read), sizeof(double));
    else value = static_cast<double>(*reinterpret_cast<const float*>(workspace.buffer(read)));
    if (!std::isfinite(value)) workspace.Stop();
  }
}

void RunStepBlocks(void* context, uint32_t id, uint32_t begin, uint32_t end) {
  const Run& run = *static_cast<const Run*>(context);
  if (run.workspace.stopped() || begin >= end) return;
  const DefaultFloatingPoint floating_point;
  const Step& step = run.program.steps[id];
  switch (step.kind) {
    case StepKind::kBlocks: return RunBlocks(step.program, run.workspace.buffers(), begin, end);
    case StepKind::kReduction: return RunReduction(step, run.workspace.buffers(), begin, end);
    case StepKind::kStrips: return RunStrips(step, run.workspace.buffers(), begin, end);
    case StepKind::kOp:
      if (step.strip_bytes > 0) return RunOpOnStrips(step, run.program, run.workspace, begin, end);
      return RunOp(step, run.program, run.workspace, nullptr, begin, end);
    case StepKind::kCopy: return Copy(step, run.program, run.workspace, begin, end);
    case StepKind::kGuard: return CheckGuard(step, run.workspace);
  }
}

void RunChain(TaskScope& scope, void* context, uint32_t id);

// What a thread will do itself, latest first: small steps that are ready.
class Local {
 public:
  bool Push(StepId id) {
    if (size_ == ids_.size()) return false;
    ids_[size_++] = id;
    return true;
  }
  StepId Pop() { return size_ == 0 ? kNoStep : ids_[--size_]; }

 private:
  std::array<StepId, 64> ids_;
  size_t size_ = 0;
};

// Runs a step, then keeps the most urgent successor that it has made ready; other large ones become tasks.
void RunChain(TaskScope& scope, void* context, uint32_t id) {
  const Run& run = *static_cast<const Run*>(context);
  Local local;
  while (id != kNoStep) {
    const Step& step = run.program.steps[id];
    if (step.blocks > step.grain) scope.ForBlocks(step.blocks, step.grain, {RunStepBlocks, context, id});
    else RunStepBlocks(context, id, 0, step.blocks);
    StepId next = kNoStep;
    for (StepId successor : run.program.successors(id)) {  // most urgent first
      if (run.workspace.pending(successor).fetch_sub(1, std::memory_order_acq_rel) != 1) continue;
      const bool small = run.program.steps[successor].cycles < kSpawnCycles;
      if (next == kNoStep) next = successor;
      else if (!small || !local.Push(successor)) scope.Spawn({RunChain, context, successor});
    }
    id = next != kNoStep ? next : local.Pop();
  }
}

void SpawnSources(TaskScope& scope, void* context, uint32_t) {
  const Run& run = *static_cast<const Run*>(context);
  for (StepId id = 0; id < run.program.steps.size(); ++id) {
    if (run.program.predecessor_counts[id] == 0) scope.Spawn({RunChain, context, id});
  }
}

}  // namespace

void Execute(const Program& program, Workspace& workspace, TaskRunner* runner) {
  Run run{program, workspace};
  workspace.Reset(program);
  if (runner == nullptr || program.sequential || runner->concurrency() == 1) {
    for (StepId id = 0; id < program.steps.size(); ++id) RunStepBlocks(&run, id, 0, program.steps[id].blocks);
  } else {
    runner->Run({SpawnSources, &run, kNoStep});
  }
}

void ExecuteObserved(const Program& program, Workspace& workspace, void (*after)(void* context, StepId step),
                     void* context) {
  Run run{program, workspace};
  workspace.Reset(program);
  for (StepId id = 0; id < program.steps.size(); ++id) {
    RunStepBlocks(&run, id, 0, program.steps[id].blocks);
    after(context, id);
  }
}

}  // namespace weft
