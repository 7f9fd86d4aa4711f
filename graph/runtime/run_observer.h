// RunObserver: told what ran when, by the thread that ran it. Traces, profiles and the search for the first bad number
// are such. A run without one asks once, and reads no clock.
//
//   session.Observe(&trace);
//   run.Run();
//   session.Observe(nullptr);
#pragma once

#include <chrono>
#include <cstdint>

#include "weft/graph/compile/program.h"

namespace weft {

// The blocks begin … end of a step, run in one piece.
struct RanPiece {
  StepId step;
  uint32_t begin, end;
  std::chrono::steady_clock::time_point started, ended;
};

class RunObserver {
 public:
  virtual ~RunObserver() = default;
  // On the thread that starts a run, before any of its steps. What it throws ends the run.
  virtual void Begin(const Program& program) = 0;
  // Behind each piece: from several threads at once, and on the way of the steps that wait for this one.
  virtual void Ran(const RanPiece& piece) noexcept = 0;
};

}  // namespace weft
