// Traces: which thread ran which step when, of real runs on all their threads; for chrome://tracing and
// https://ui.perfetto.dev.
//
//   RunTrace trace;
//   session.Observe(&trace);
//   run.Run();
//   session.Observe(nullptr);
//   WriteWhole("trace.json", ToTraceJson(trace));
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "weft/graph/runtime/run_observer.h"

namespace weft {

struct TracedPiece {
  RanPiece ran;
  std::thread::id thread;
};

struct TracedRun {
  const Program* program;
  std::chrono::steady_clock::time_point begun;
  std::vector<TracedPiece> pieces;  // in the order of their ends, more or less
};

class RunTrace : public RunObserver {
 public:
  // Takes memory for every block of the program, so that nothing is allocated while steps run.
  void Begin(const Program& program) override;
  void Ran(const RanPiece& piece) noexcept override;

  // When no run is under way. Their programs belong to who prepared the runs.
  std::vector<TracedRun> Runs() const;

 private:
  std::vector<TracedRun> runs_;
  std::atomic<size_t> pieces_ = 0;  // of the last run
};

// The Trace Event Format: an event a line, in microseconds from the begin of the first run. "X" is a run, on a row of
// its own, or a piece of a step on the row of its thread: named by its node, with args run, step, blocks (begin, end,
// of how many), shape, and the bytes and flops of the whole step. "C" is live bytes, those of the arena between their
// first write and their last use. "s" and "f" are the ends of an arrow from the step that wrote a buffer to one that
// reads it. Programs of the runs must still be there.
std::string ToTraceJson(const RunTrace& trace);

}  // namespace weft
