// Dependencies of steps, and what the executor needs to follow them.
#include "weft/graph/compile/schedule.h"

#include <algorithm>
#include <map>
#include <numeric>

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/dag_shortest_paths.hpp>
#include <boost/graph/transitive_reduction.hpp>

namespace weft {
namespace {

using StepGraph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;

// Above this many steps the quadratic bits of the reduction cost more than the edges that it saves.
constexpr size_t kMaxReducedSteps = 4096;

// oneTBB's guide: a task should take at least 100,000 cycles, so that handing it out is noise.
constexpr double kTaskCycles = 100'000;

// A program below this (100 µs at 3 GHz) loses more by waking threads than they can give.
constexpr double kSequentialCycles = 300'000;

// What was last done to a run of bytes.
struct Segment {
  int64_t end;
  StepId writer = kNoStep;
  std::vector<StepId> readers = {};
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
    ForSegments(begin, end, [&](Segment& segment) {
      Add(segment.writer, step);
      for (StepId reader : segment.readers) Add(reader, step);
      segment.writer = step;
      segment.readers.clear();
    });
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

// Edges that other paths already imply are dropped: fewer atomic decrements a run.
std::vector<StepEdge> Reduced(size_t steps, std::vector<StepEdge> edges) {
  if (edges.empty() || steps > kMaxReducedSteps) return edges;
  StepGraph graph(steps), reduced;
  for (const StepEdge& edge : edges) add_edge(edge.before, edge.after, graph);
  std::vector<StepGraph::vertex_descriptor> place(steps);
  std::vector<size_t> index(steps);
  std::iota(index.begin(), index.end(), size_t{0});
  boost::transitive_reduction(graph, reduced,
                              boost::make_iterator_property_map(place.begin(), get(boost::vertex_index, graph)),
                              boost::make_iterator_property_map(index.begin(), get(boost::vertex_index, graph)));
  std::vector<StepId> step_at(steps);
  for (StepId id = 0; id < steps; ++id) step_at[place[id]] = id;
  std::vector<StepEdge> kept;
  for (const auto& edge : boost::make_iterator_range(boost::edges(reduced)))
    kept.push_back({step_at[source(edge, reduced)], step_at[target(edge, reduced)]});
  std::sort(kept.begin(), kept.end());
  return kept;
}

// The longest path of cycles from each step to the end: what is urgent. (The shortest one with negative lengths,
// backwards from an added end.)
std::vector<double> Urgency(const Program& program, const std::vector<StepEdge>& edges) {
  using Weighted = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, boost::no_property,
                                         boost::property<boost::edge_weight_t, double>>;
  const size_t end = program.steps.size();
  Weighted graph(end + 1);
  for (const StepEdge& edge : edges) add_edge(edge.after, edge.before, -program.steps[edge.before].cycles, graph);
  for (size_t id = 0; id < end; ++id) add_edge(end, id, -program.steps[id].cycles, graph);
  std::vector<double> distance(end + 1);
  boost::dag_shortest_paths(
      graph, end,
      boost::distance_map(boost::make_iterator_property_map(distance.begin(), get(boost::vertex_index, graph))));
  for (double& d : distance) d = -d;
  return distance;
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
