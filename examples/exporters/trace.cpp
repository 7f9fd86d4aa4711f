// Recording; the writing is in trace_json.cpp.
#include "weft/exporters/trace.h"

namespace weft {

void RunTrace::Begin(const Program& program) {
  if (!runs_.empty()) runs_.back().pieces.resize(pieces_);
  size_t blocks = 0;  // a piece has at least one
  for (const Step& step : program.steps) blocks += step.blocks;
  runs_.push_back({.program = &program, .begun = {}, .pieces = std::vector<TracedPiece>(blocks)});
  pieces_ = 0;
  runs_.back().begun = std::chrono::steady_clock::now();
}

void RunTrace::Ran(const RanPiece& piece) noexcept {
  runs_.back().pieces[pieces_.fetch_add(1, std::memory_order_relaxed)] = {.ran = piece,
                                                                          .thread = std::this_thread::get_id()};
}

std::vector<TracedRun> RunTrace::Runs() const {
  std::vector<TracedRun> runs = runs_;
  if (!runs.empty()) runs.back().pieces.resize(pieces_);
  return runs;
}

}  // namespace weft
