// Schedule: who waits for whom, computed from the bytes that steps read and write.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "weft/graph/compile/program.h"

namespace weft {

// An edge a → b: step b waits for step a. All are from a lower to a higher id.
struct StepEdge {
  StepId before, after;
  auto operator<=>(const StepEdge&) const = default;
};

// Read after write, write after read, and write after write over overlapping bytes: whatever memory plan there is, a
// program that is right step by step is right in parallel. Buffers that share no memory yet depend by identity alone.
std::vector<StepEdge> Dependencies(const Program& program, bool by_offset);

// A bit for each step.
using StepBits = std::vector<uint64_t>;
inline bool Has(const StepBits& steps, StepId id) { return (steps[id / 64] >> (id % 64) & 1) != 0; }

// The steps behind each step, by edges in order: a bit for each pair, so it is for some thousands of steps.
std::vector<StepBits> Closure(size_t steps, std::span<const StepEdge> edges);

// Fills successors, predecessor counts, grains and the verdict `sequential`.
Program PlanSchedule(Program program);

}  // namespace weft
