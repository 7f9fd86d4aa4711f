// Offsets of buffers in the arena.
#include "weft/graph/compile/memory_plan.h"

#include <algorithm>
#include <numeric>
#include <span>

#include <boost/dynamic_bitset.hpp>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/transitive_closure.hpp>
#include <fmt/format.h>

#include "weft/graph/compile/schedule.h"
#include "weft/graph/error.h"

namespace weft {
namespace {

// The closure has a bit for each pair of steps; above this, "comes before" is decided by the order of the steps, which
// gives a plan just as right (the schedule waits for bytes) but less parallel.
constexpr size_t kMaxClosureSteps = 4096;

// More than any address space gives: 2⁴⁶ bytes.
constexpr int64_t kMaxArenaBytes = int64_t{1} << 46;

// Which steps come before which in every order of running.
class PartialOrder {
 public:
  explicit PartialOrder(const Program& program) : steps_(program.steps.size()) {
    if (steps_ > kMaxClosureSteps) return;
    using StepGraph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;
    StepGraph graph(steps_), closure;
    for (const StepEdge& edge : Dependencies(program, false)) add_edge(edge.before, edge.after, graph);
    boost::transitive_closure(graph, closure);
    after_.assign(steps_, boost::dynamic_bitset<>(steps_));
    for (const auto& edge : boost::make_iterator_range(boost::edges(closure)))
      after_[source(edge, closure)].set(target(edge, closure));
  }
  bool Before(StepId a, StepId b) const { return after_.empty() ? a < b : after_[a].test(b); }

 private:
  size_t steps_;
  std::vector<boost::dynamic_bitset<>> after_;
};

class Planner {
 public:
  explicit Planner(Program& program, bool reuse)
      : program_(program),
        reuse_(reuse),
        order_(program),
        users_(program.buffers.size()),
        writer_(program.buffers.size(), kNoStep) {
    for (StepId id = 0; id < program.steps.size(); ++id) {
      for (BufferId buffer : program.steps[id].writes) {
        if (writer_[buffer] == kNoStep) writer_[buffer] = id;
        AddUser(buffer, id);
      }
      for (BufferId buffer : program.steps[id].reads) AddUser(buffer, id);
    }
  }

  void Run() {
    std::vector<BufferId> arena;
    for (BufferId id = 0; id < program_.buffers.size(); ++id) {
      if (program_.buffers[id].kind == BufferKind::kArena) arena.push_back(id);
    }
    // Largest first, lowest free offset; ties by id, so that a plan depends on nothing but the program.
    std::stable_sort(arena.begin(), arena.end(),
                     [&](BufferId a, BufferId b) { return program_.buffers[a].bytes > program_.buffers[b].bytes; });
    for (BufferId id : arena) Place(id);
    for (BufferId id : arena)
      program_.arena_bytes = std::max(program_.arena_bytes, program_.buffers[id].offset + program_.buffers[id].bytes);
    if (program_.arena_bytes > kMaxArenaBytes)
      throw ResourceError(
          fmt::format("memory plan: got {} bytes, expected at most {}", program_.arena_bytes, kMaxArenaBytes));
  }

 private:
  enum class Sharing { kNever, kInPlace, kFree };

  void AddUser(BufferId buffer, StepId step) {
    if (users_[buffer].empty() || users_[buffer].back() != step) users_[buffer].push_back(step);
  }

  // May `second` use the bytes of `first`, whose last reader may be the writer of `second`?
  Sharing Follows(BufferId first, BufferId second) const {
    const StepId writer = writer_[second];
    if (writer == kNoStep) return Sharing::kNever;
    Sharing sharing = Sharing::kFree;
    for (StepId user : users_[first]) {
      if (user == writer) sharing = Sharing::kInPlace;
      else if (!order_.Before(user, writer)) return Sharing::kNever;
    }
    if (sharing == Sharing::kInPlace && !WorksInPlace(program_.steps[writer], first, second)) return Sharing::kNever;
    return sharing;
  }

  // A fused group reads and writes element by element; what it reads in another way must stay. The links of a chain do
  // so one after the other on columns of their own, so the last that reads `first` must not stand behind the one that
  // writes `second`.
  bool WorksInPlace(const Step& step, BufferId first, BufferId second) const {
    const Buffer &a = program_.buffers[first], &b = program_.buffers[second];
    if (a.bytes != b.bytes || a.layout != b.layout) return false;
    if (step.kind == StepKind::kBlocks)
      return ReadsInPlace(step.program, first) && !Touches(step.program.writes, first);
    const auto own = [](std::span<const BufferId> list, BufferId buffer) {
      return std::find(list.begin(), list.end(), buffer) != list.end();
    };
    if (own(std::span(step.reads).first(step.op_reads), first) ||
        own(std::span(step.writes).first(step.op_writes), second))
      return false;
    bool written = false;
    for (const Step& link : step.chain) {
      if (!ReadsInPlace(link.program, first)) return false;
      const bool touches = Touches(link.program.reads, first) || own(link.writes, first);
      if (written && touches) return false;
      if (!own(link.writes, second)) continue;
      if (own(link.writes, first) || (touches && link.kind != StepKind::kBlocks)) return false;
      written = true;
    }
    return written;
  }

  static bool Touches(const std::vector<Binding>& bindings, BufferId buffer) {
    return std::any_of(bindings.begin(), bindings.end(),
                       [&](const Binding& binding) { return binding.buffer == buffer; });
  }
  static bool ReadsInPlace(const BlockProgram& program, BufferId buffer) {
    return std::none_of(program.reads.begin(), program.reads.end(),
                        [&](const Binding& read) { return read.buffer == buffer && read.cover != Cover::kFull; });
  }

  Sharing Between(BufferId a, BufferId b) const {
    if (!reuse_ || program_.buffers[a].pinned || program_.buffers[b].pinned) return Sharing::kNever;
    const Sharing forward = Follows(a, b);
    return forward != Sharing::kNever ? forward : Follows(b, a);
  }

  void Place(BufferId id) {
    Buffer& buffer = program_.buffers[id];
    struct Range {
      int64_t begin, end;
    };
    std::vector<Range> taken;
    std::vector<int64_t> in_place;
    for (BufferId other : placed_) {
      const Buffer& record = program_.buffers[other];
      const Sharing sharing = Between(other, id);
      if (sharing == Sharing::kInPlace) in_place.push_back(record.offset);
      if (sharing != Sharing::kFree) taken.push_back({record.offset, record.offset + record.bytes});
    }
    placed_.push_back(id);
    // Exactly the bytes of a buffer that ends here, if nothing else that lives lies there.
    for (int64_t offset : in_place) {
      const auto hinders = [&](const Range& range) {
        return range.begin < offset + buffer.bytes && offset < range.end && range.begin != offset;
      };
      const auto same =
          std::count_if(taken.begin(), taken.end(), [&](const Range& range) { return range.begin == offset; });
      if (same == 1 && std::none_of(taken.begin(), taken.end(), hinders)) {
        buffer.offset = offset;
        return;
      }
    }
    std::sort(taken.begin(), taken.end(), [](const Range& a, const Range& b) { return a.begin < b.begin; });
    int64_t offset = 0;
    for (const Range& range : taken) {
      if (offset + buffer.bytes <= range.begin) break;
      offset = std::max(offset, range.end);
    }
    buffer.offset = offset;
  }

  Program& program_;
  const bool reuse_;
  const PartialOrder order_;
  std::vector<std::vector<StepId>> users_;  // steps that touch a buffer, in order
  std::vector<StepId> writer_;              // the first one that writes it
  std::vector<BufferId> placed_;
};

bool Overlap(const Program& program, BufferId a, BufferId b) {
  const Buffer &x = program.buffers[a], &y = program.buffers[b];
  if (x.kind != BufferKind::kArena || y.kind != BufferKind::kArena) return a == b;
  return x.offset < y.offset + y.bytes && y.offset < x.offset + x.bytes;
}

// A group that works in place must not store a value over bytes that a later instruction reads.
void FindLateWrites(const Program& program, BlockProgram& block) {
  std::vector<size_t> last_use(block.values, 0), made(block.values, 0);
  for (size_t i = 0; i < block.instructions.size(); ++i) {
    for (uint32_t output : block.instructions[i].outputs) made[output] = i;
    for (uint32_t input : block.instructions[i].inputs) last_use[input] = i;
  }
  for (Binding& write : block.writes) {
    const auto hinders = [&](const Binding& read) {
      return last_use[read.value] > made[write.value] && Overlap(program, read.buffer, write.buffer);
    };
    write.at_end = std::any_of(block.reads.begin(), block.reads.end(), hinders);
  }
}

}  // namespace

Program PlanMemory(Program program, bool reuse) {
  Planner(program, reuse).Run();
  for (Step& step : program.steps) {
    FindLateWrites(program, step.program);
    for (Step& link : step.chain) FindLateWrites(program, link.program);
  }
  return program;
}

}  // namespace weft
