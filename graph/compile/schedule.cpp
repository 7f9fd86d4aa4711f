// Dependencies of steps, and what the executor needs to follow them.
#include "weft/graph/compile/schedule.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

namespace weft {
namespace {

// Above this many steps the bits of the reduction, one a pair, cost more than the edges that it saves.
constexpr size_t kMaxReducedSteps = 4096;

// oneTBB's guide: a task should take at least 100,000 cycles, so that handing it out is noise.
constexpr double kTaskCycles = 100'000;

// A program below this (100 µs at 3 GHz) loses more by waking threads than they can give.
constexpr double kSequentialCycles = 300'000;

// What was last done to a run of bytes.
struct Segment {
  int64_t end;
  StepId writer = kNoStep;
  std::vector<StepId> readers = {};  // since then
};

class Accesses {
 public:
  explicit Accesses(std::vector<StepEdge>& edges) : edges_(edges) {}

  void Read(int64_t begin, int64_t end, StepId step) {
    ForSegments(begin, end, [&](Segment& segment) {
      Add(segment.writer, step);
      if (segment.readers.empty() || segment.readers.back() != step) segment.readers.push_back(step);
    });
  }

  void Write(int64_t begin, int64_t end, StepId step) {
    ForSegments(begin, end, [&](const Segment& segment) {
      if (segment.readers.empty()) Add(segment.writer, step);  // else they have waited for it
      for (StepId reader : segment.readers) Add(reader, step);
    });
    // One segment again, or pieces would pile up where bytes are used again and again.
    const auto first = segments_.find(begin);
    segments_.erase(std::next(first), segments_.lower_bound(end));
    first->second = {.end = end, .writer = step};
  }

 private:
  void Add(StepId before, StepId after) {
    if (before != kNoStep && before != after) edges_.push_back({before, after});
  }

  // Makes `at` a border between segments.
  void Split(int64_t at) {
    auto next = segments_.upper_bound(at);
    if (next == segments_.begin()) return;
    auto& [begin, segment] = *std::prev(next);
    if (begin == at || segment.end <= at) return;
    Segment tail = segment;
    segment.end = at;
    segments_.emplace_hint(next, at, std::move(tail));
  }

  template <class Visit>
  void ForSegments(int64_t begin, int64_t end, const Visit& visit) {
    const auto whole = segments_.find(begin);  // most often, a buffer is touched as it was before
    if (whole != segments_.end() && whole->second.end == end) return visit(whole->second);
    Split(begin);
    Split(end);
    for (int64_t at = begin; at < end;) {
      auto found = segments_.lower_bound(at);
      if (found == segments_.end() || found->first > at) {
        const int64_t gap_end = found == segments_.end() ? end : std::min(end, found->first);
        found = segments_.emplace_hint(found, at, Segment{.end = gap_end});
      }
      visit(found->second);
      at = found->second.end;
    }
  }

  std::vector<StepEdge>& edges_;
  std::map<int64_t, Segment> segments_;  // disjoint, by begin
};

void Add(const StepBits& more, StepBits& to) { std::ranges::transform(to, more, to.begin(), std::bit_or()); }

// Edges that other paths already imply are dropped: fewer atomic decrements a run.
std::vector<StepEdge> Reduced(size_t steps, const std::vector<StepEdge>& edges) {
  if (steps > kMaxReducedSteps) return edges;
  const std::vector<StepBits> after = Closure(steps, edges);
  std::vector<StepEdge> kept;
  StepBits implied;
  for (const StepEdge& edge : edges) {  // of one step, the nearest first: a way around it begins with an earlier edge
    if (kept.empty() || kept.back().before != edge.before) implied.assign(steps / 64 + 1, 0);
    if (Has(implied, edge.after)) continue;
    Add(after[edge.after], implied);
    kept.push_back(edge);
  }
  return kept;
}

// The longest path of cycles from each step to the end: what is urgent.
std::vector<double> Urgency(const Program& program, std::span<const StepEdge> edges) {
  std::vector<double> behind(program.steps.size(), 0);
  auto edge = edges.rbegin();
  for (size_t id = behind.size(); id-- > 0;) {
    for (; edge != edges.rend() && edge->before == id; ++edge) behind[id] = std::max(behind[id], behind[edge->after]);
    behind[id] += program.steps[id].cycles;
  }
  return behind;
}

}  // namespace

std::vector<StepEdge> Dependencies(const Program& program, bool by_offset) {
  std::vector<StepEdge> edges;
  Accesses accesses(edges);
  const auto place = [&](BufferId id) -> std::pair<int64_t, int64_t> {
    const Buffer& buffer = program.buffers[id];
    if (by_offset && buffer.kind == BufferKind::kArena) return {buffer.offset, buffer.offset + buffer.bytes};
    const int64_t own = program.arena_bytes + id;  // behind the arena, each by itself
    return {own, own + 1};
  };
  for (StepId id = 0; id < program.steps.size(); ++id) {
    for (BufferId read : program.steps[id].reads) {
      if (program.buffers[read].kind != BufferKind::kInProgram)
        accesses.Read(place(read).first, place(read).second, id);
    }
    for (BufferId write : program.steps[id].writes) accesses.Write(place(write).first, place(write).second, id);
  }
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  return edges;
}

std::vector<StepBits> Closure(size_t steps, std::span<const StepEdge> edges) {
  std::vector<StepBits> after(steps, StepBits(steps / 64 + 1, 0));
  for (size_t i = edges.size(); i-- > 0;) {  // the last steps first: what is behind them is known
    const auto [before, next] = edges[i];
    Add(after[next], after[before]);
    after[before][next / 64] |= uint64_t{1} << next % 64;
  }
  return after;
}

Program PlanSchedule(Program program) {
  const size_t steps = program.steps.size();
  const std::vector<StepEdge> edges = Reduced(steps, Dependencies(program, true));
  const std::vector<double> urgency = Urgency(program, edges);

  program.first_successor.assign(steps + 1, 0);
  program.predecessor_counts.assign(steps, 0);
  for (const StepEdge& edge : edges) {
    ++program.first_successor[edge.before + 1];
    ++program.predecessor_counts[edge.after];
  }
  std::partial_sum(program.first_successor.begin(), program.first_successor.end(), program.first_successor.begin());
  for (const StepEdge& edge : edges) program.successor_list.push_back(edge.after);  // sorted by `before`
  for (StepId id = 0; id < steps; ++id) {
    const auto begin = program.successor_list.begin() + program.first_successor[id];
    const auto end = program.successor_list.begin() + program.first_successor[id + 1];
    std::stable_sort(begin, end, [&](StepId a, StepId b) { return urgency[a] > urgency[b]; });
  }

  double total = 0;
  for (Step& step : program.steps) {
    total += step.cycles;
    const double block = step.cycles / std::max(1u, step.blocks);
    step.grain = static_cast<uint32_t>(
        std::clamp(kTaskCycles / std::max(block, 1.0), 1.0, std::max(1.0, static_cast<double>(step.blocks))));
  }
  program.sequential = total < kSequentialCycles;
  return program;
}

}  // namespace weft
