// Ready counters over a task runner.
#include "weft/graph/runtime/executor.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <exception>
#include <new>
#include <utility>

#include <fmt/format.h>

#include "weft/graph/compile/blocks.h"
#include "weft/graph/floating_point.h"
#include "weft/graph/op.h"
#include "weft/graph/runtime/block_program.h"
#include "weft/graph/runtime/panels.h"
#include "weft/graph/runtime/run_errors.h"

namespace weft {
namespace {

// A step below this (7 µs at 3 GHz) is done by the thread that made it ready: waking another costs as much.
constexpr double kSpawnCycles = 20'000;

thread_local bool inside_step = false;

// A thread in the middle of a step; the library's floating-point environment.
class InsideStep {
 public:
  InsideStep() : outer_(std::exchange(inside_step, true)) {}
  ~InsideStep() { inside_step = outer_; }
  InsideStep(const InsideStep&) = delete;
  InsideStep& operator=(const InsideStep&) = delete;

 private:
  bool outer_;
  DefaultFloatingPoint floating_point_;
};

struct Run {
  const Program& program;
  Workspace& workspace;
  const std::stop_token& stop;
  RunObserver* observer;
};

using Clock = std::chrono::steady_clock;

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

void RunKernels(const Run& run, const Step& step, uint32_t begin, uint32_t end) {
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

// What a kernel threw, with the name of its node.
[[noreturn]] void ThrowOpError(const Graph& graph, const KernelThrew& threw) {
  const auto sentence = [&](const char* reason) {
    return OpError(fmt::format("node '{}' ({}): {}", graph.name(threw.node).str(), *graph.op(threw.node).name, reason));
  };
  try {
    std::rethrow_exception(threw.cause);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    std::throw_with_nested(sentence(error.what()));
  } catch (...) {
    std::throw_with_nested(sentence("threw what is no std::exception"));
  }
}

void RunStepBlocks(void* context, uint32_t id, uint32_t begin, uint32_t end) {
  const Run& run = *static_cast<const Run*>(context);
  if (run.stop.stop_requested()) run.workspace.Stop();
  if (run.workspace.stopped() || begin >= end) return;
  const InsideStep inside;
  const Step& step = run.program.steps[id];
  const Clock::time_point started = run.observer != nullptr ? Clock::now() : Clock::time_point();
  try {
    RunKernels(run, step, begin, end);
  } catch (const KernelThrew& threw) {
    run.workspace.Stop();
    ThrowOpError(run.program.graph, threw);
  } catch (...) {
    // Before the runner hears of it: it gives up what else is running, and nothing may follow on that.
    run.workspace.Stop();
    ThrowOpError(run.program.graph, {.node = step.origin, .cause = std::current_exception()});
  }
  if (run.observer != nullptr)
    run.observer->Ran({.step = id, .begin = begin, .end = end, .started = started, .ended = Clock::now()});
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

bool IsInsideStep() { return inside_step; }

void Execute(const Program& program, Workspace& workspace, TaskRunner* runner, const std::stop_token& stop,
             RunObserver* observer) {
  Run run{program, workspace, stop, observer};
  workspace.Reset(program);
  if (observer != nullptr) observer->Begin(program);
  if (runner == nullptr || program.sequential || runner->concurrency() == 1) {
    for (StepId id = 0; id < program.steps.size(); ++id) RunStepBlocks(&run, id, 0, program.steps[id].blocks);
  } else {
    runner->Run({SpawnSources, &run, kNoStep});
  }
}

}  // namespace weft
