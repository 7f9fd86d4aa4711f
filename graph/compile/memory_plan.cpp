// Offsets of buffers in the arena.
//
// Bytes are handed on where the last user of the one buffer comes before the writer of the other. A program of some
// thousands of steps is planned exactly, each buffer beside all that are placed; a larger one in one sweep over its
// steps, in time that grows with their number.
#include "weft/graph/compile/memory_plan.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "weft/graph/compile/schedule.h"
#include "weft/graph/error.h"

namespace weft {
namespace {

// The exact plan has a bit for each pair of steps and looks at each pair of buffers.
constexpr size_t kMaxExactSteps = 4096;

// In a sweep, bytes that more steps have used are not handed on: each new owner of a piece would wait for all of them.
constexpr size_t kMaxUsersBefore = 1024;

// More than any address space gives: 2⁴⁶ bytes.
constexpr int64_t kMaxArenaBytes = int64_t{1} << 46;

// Where `bytes` that begin at `offset` end. The only sum of sizes of the plan, so none can wrap.
int64_t EndOf(int64_t offset, int64_t bytes) {
  if (bytes > kMaxArenaBytes - offset) {
    throw ResourceError(
        fmt::format("memory plan: got {} bytes at {}, expected at most {} in all", bytes, offset, kMaxArenaBytes));
  }
  return offset + bytes;
}

bool IsInArena(const Buffer& buffer) { return buffer.kind == BufferKind::kArena; }

// Largest first, ties as they stand: so that a plan depends on nothing but the program.
void SortBySize(const Program& program, std::vector<BufferId>& buffers) {
  std::stable_sort(buffers.begin(), buffers.end(),
                   [&](BufferId a, BufferId b) { return program.buffers[a].bytes > program.buffers[b].bytes; });
}

std::vector<BufferId> ArenaBuffers(const Program& program) {
  std::vector<BufferId> arena;
  for (BufferId id = 0; id < program.buffers.size(); ++id) {
    if (IsInArena(program.buffers[id])) arena.push_back(id);
  }
  SortBySize(program, arena);
  return arena;
}

// Who uses which buffer.
class Lifetimes {
 public:
  explicit Lifetimes(const Program& program)
      : program_(program), users_(program.buffers.size()), writer_(program.buffers.size(), kNoStep) {
    for (StepId id = 0; id < program.steps.size(); ++id) {
      for (BufferId buffer : program.steps[id].writes) {
        if (writer_[buffer] == kNoStep) writer_[buffer] = id;
        AddUser(buffer, id);
      }
      for (BufferId buffer : program.steps[id].reads) AddUser(buffer, id);
    }
  }

  const std::vector<StepId>& users(BufferId buffer) const { return users_[buffer]; }  // in order
  StepId writer(BufferId buffer) const { return writer_[buffer]; }                    // the first one that writes it

  // May its bytes be another's before or after it?
  bool IsShared(BufferId buffer) const {
    return IsInArena(program_.buffers[buffer]) && !program_.buffers[buffer].pinned && writer_[buffer] != kNoStep;
  }

  // May `id`, which reads `first` for the last time, make `second` in its bytes? A fused group reads and writes element
  // by element; what it reads in another way must stay. The links of a chain do so one after the other on columns of
  // their own, so the last that reads `first` must not stand behind the one that writes `second`.
  bool WorksInPlace(StepId id, BufferId first, BufferId second) const {
    const Step& step = program_.steps[id];
    const Buffer &a = program_.buffers[first], &b = program_.buffers[second];
    if (writer_[second] != id || !IsShared(first) || !IsShared(second) || a.bytes != b.bytes || a.layout != b.layout)
      return false;
    if (step.kind == StepKind::kBlocks)
      return ReadsInPlace(step.program, first) && !Touches(step.program.writes, first);
    const auto own = [](std::span<const BufferId> list, BufferId buffer) {
      return std::find(list.begin(), list.end(), buffer) != list.end();
    };
    if (own(std::span(step.reads).first(step.op_reads), first) ||
        own(std::span(step.writes).first(step.op_writes), second))
      return false;
    bool written = false;
    for (const Link& link : step.chain) {
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

 private:
  void AddUser(BufferId buffer, StepId step) {
    if (users_[buffer].empty() || users_[buffer].back() != step) users_[buffer].push_back(step);
  }

  const Program& program_;
  std::vector<std::vector<StepId>> users_;
  std::vector<StepId> writer_;
};

// ---- Thousands of steps
// ----------------------------------------------------------------------------------------------

class ExactPlanner {
 public:
  explicit ExactPlanner(Program& program)
      : program_(program),
        lifetimes_(program),
        after_(Closure(program.steps.size(), Dependencies(program, false))),
        after_users_(program.buffers.size()),
        in_place_(program.buffers.size()),
        is_placed_(program.buffers.size(), 0) {
    for (BufferId id = 0; id < program.buffers.size(); ++id) {
      if (!lifetimes_.IsShared(id)) continue;
      StepBits& after_users = after_users_[id] = after_[lifetimes_.writer(id)];
      for (StepId user : lifetimes_.users(id))
        std::ranges::transform(after_users, after_[user], after_users.begin(), std::bit_and());
    }
    for (StepId id = 0; id < program.steps.size(); ++id) FindInPlace(id);
    for (auto& partners : in_place_) std::ranges::sort(partners);
  }

  // Largest first, lowest free offset.
  void Run() {
    for (BufferId id : ArenaBuffers(program_)) {
      program_.buffers[id].offset = OffsetFor(id);
      EndOf(program_.buffers[id].offset, program_.buffers[id].bytes);
      is_placed_[id] = 1;
      const auto offset = [this](BufferId of) { return program_.buffers[of].offset; };
      by_offset_.insert(std::ranges::upper_bound(by_offset_, offset(id), {}, offset), id);
    }
  }

 private:
  void FindInPlace(StepId id) {
    const Step& step = program_.steps[id];
    for (BufferId first : step.reads) {
      for (BufferId second : step.writes) {
        if (!lifetimes_.WorksInPlace(id, first, second)) continue;
        const auto comes_before = [&](StepId user) { return user == id || Has(after_[user], id); };
        if (!std::ranges::all_of(lifetimes_.users(first), comes_before)) continue;
        in_place_[first].push_back(second);
        in_place_[second].push_back(first);
      }
    }
  }

  bool MayShare(BufferId a, BufferId b) const {
    return lifetimes_.IsShared(a) && lifetimes_.IsShared(b) &&
           (Has(after_users_[a], lifetimes_.writer(b)) || Has(after_users_[b], lifetimes_.writer(a)));
  }

  int64_t OffsetFor(BufferId id) const {
    const int64_t bytes = program_.buffers[id].bytes;
    // Exactly the bytes of a buffer that ends or begins here, if nothing else that lives lies there.
    for (BufferId partner : in_place_[id]) {
      const int64_t offset = program_.buffers[partner].offset;
      const auto hinders = [&](BufferId other) {
        const Buffer& record = program_.buffers[other];
        return other != partner && record.offset < offset + bytes && offset < record.offset + record.bytes &&
               !MayShare(other, id);
      };
      if (is_placed_[partner] && std::ranges::none_of(by_offset_, hinders)) return offset;
    }
    int64_t offset = 0;
    for (BufferId other : by_offset_) {
      if (MayShare(other, id)) continue;
      if (offset + bytes <= program_.buffers[other].offset) break;
      offset = std::max(offset, program_.buffers[other].offset + program_.buffers[other].bytes);
    }
    return offset;
  }

  Program& program_;
  const Lifetimes lifetimes_;
  const std::vector<StepBits> after_;            // the steps behind each step
  std::vector<StepBits> after_users_;            // the steps behind all users of a buffer
  std::vector<std::vector<BufferId>> in_place_;  // who may take whose bytes within a step, either way
  std::vector<BufferId> by_offset_;              // those that are placed
  std::vector<char> is_placed_;
};

// ---- More of them
// ----------------------------------------------------------------------------------------------------

// What is free of an arena without end: the smallest range that fits is taken, neighbours join.
class FreeRanges {
 public:
  int64_t Take(int64_t bytes) {
    const auto fits = by_size_.lower_bound({bytes, 0});
    if (fits == by_size_.end()) return TakeAtEnd(bytes);
    const auto [size, begin] = *fits;
    Erase(begin, size);
    if (size > bytes) Insert(begin + bytes, size - bytes);
    return begin;
  }

  void Return(int64_t begin, int64_t size) {
    if (const auto next = by_begin_.find(begin + size); next != by_begin_.end()) {
      const int64_t joined = next->second;
      Erase(next->first, joined);
      size += joined;
    }
    if (const auto next = by_begin_.lower_bound(begin); next != by_begin_.begin()) {
      const auto [before, joined] = *std::prev(next);
      if (before + joined == begin) {
        Erase(before, joined);
        begin = before;
        size += joined;
      }
    }
    Insert(begin, size);
  }

 private:
  // What is free at the end grows as far as it must.
  int64_t TakeAtEnd(int64_t bytes) {
    int64_t begin = end_;
    if (!by_begin_.empty()) {
      const auto [last, size] = *by_begin_.rbegin();
      if (last + size == end_) {
        Erase(last, size);
        begin = last;
      }
    }
    end_ = EndOf(begin, bytes);
    return begin;
  }

  void Insert(int64_t begin, int64_t size) {
    by_begin_.emplace(begin, size);
    by_size_.emplace(size, begin);
  }
  void Erase(int64_t begin, int64_t size) {
    by_begin_.erase(begin);
    by_size_.erase({size, begin});
  }

  int64_t end_ = 0;
  std::map<int64_t, int64_t> by_begin_;  // size by begin
  std::set<std::pair<int64_t, int64_t>> by_size_;
};

// A wave for each step: the length of the longest way to it, or more, so that waves follow one another in the order of
// the steps.
std::vector<uint32_t> Waves(const Program& program) {
  std::vector<uint32_t> waves;
  std::vector<uint32_t> behind_writer(program.buffers.size(), 0), behind_users(program.buffers.size(), 0);
  uint32_t wave = 0;
  for (const Step& step : program.steps) {
    uint32_t length = 0;
    for (BufferId read : step.reads) length = std::max(length, behind_writer[read]);
    for (BufferId write : step.writes) length = std::max(length, behind_users[write]);
    for (BufferId read : step.reads) behind_users[read] = std::max(behind_users[read], length + 1);
    for (BufferId write : step.writes) behind_writer[write] = behind_users[write] = length + 1;
    wave = std::max(wave, length);
    waves.push_back(wave);
  }
  return waves;
}

// Steps of one wave may run side by side, so bytes are handed on from wave to wave only.
class SweepPlanner {
 public:
  explicit SweepPlanner(Program& program)
      : program_(program), lifetimes_(program), waves_(Waves(program)), is_handed_on_(program.buffers.size(), 0) {}

  void Run() {
    for (BufferId id : ArenaBuffers(program_)) {
      if (!lifetimes_.IsShared(id)) Place(id);
    }
    const auto steps = static_cast<StepId>(program_.steps.size());
    for (StepId begin = 0, end = 0; begin < steps; begin = end) {
      while (end < steps && waves_[end] == waves_[begin]) ++end;
      PlaceWave(begin, end);
    }
  }

 private:
  void Place(BufferId id) { program_.buffers[id].offset = free_.Take(program_.buffers[id].bytes); }

  void PlaceWave(StepId begin, StepId end) {
    std::vector<BufferId> fresh;
    for (StepId id = begin; id < end; ++id) {
      for (BufferId write : program_.steps[id].writes) {
        const bool is_new = lifetimes_.writer(write) == id && lifetimes_.IsShared(write);
        if (is_new && !PlaceInPlace(id, write)) fresh.push_back(write);
      }
    }
    SortBySize(program_, fresh);
    for (BufferId id : fresh) Place(id);
    for (StepId id = begin; id < end; ++id) {
      for (BufferId read : program_.steps[id].reads) ReturnAfter(id, read);
      for (BufferId write : program_.steps[id].writes) ReturnAfter(id, write);
    }
  }

  bool PlaceInPlace(StepId id, BufferId second) {
    // What the step makes itself has no place yet.
    const auto ends_here = [&](BufferId first) {
      const auto& users = lifetimes_.users(first);
      return lifetimes_.writer(first) != id && users.back() == id &&
             (users.size() == 1 || waves_[users[users.size() - 2]] < waves_[id]);
    };
    for (BufferId first : program_.steps[id].reads) {
      if (is_handed_on_[first] || !ends_here(first) || !lifetimes_.WorksInPlace(id, first, second)) continue;
      program_.buffers[second].offset = program_.buffers[first].offset;
      is_handed_on_[first] = 1;
      return true;
    }
    return false;
  }

  // Frees what `id` is the last one to use.
  void ReturnAfter(StepId id, BufferId buffer) {
    const auto& users = lifetimes_.users(buffer);
    if (users.back() != id || !lifetimes_.IsShared(buffer) || users.size() > kMaxUsersBefore) return;
    if (std::exchange(is_handed_on_[buffer], 1) == 0)
      free_.Return(program_.buffers[buffer].offset, program_.buffers[buffer].bytes);
  }

  Program& program_;
  const Lifetimes lifetimes_;
  const std::vector<uint32_t> waves_;
  std::vector<char> is_handed_on_;
  FreeRanges free_;
};

// ---- Both
// ------------------------------------------------------------------------------------------------------------

void PlaceApart(Program& program) {
  int64_t end = 0;
  for (BufferId id : ArenaBuffers(program)) {
    program.buffers[id].offset = end;
    end = EndOf(end, program.buffers[id].bytes);
  }
}

bool Overlap(const Program& program, BufferId a, BufferId b) {
  const Buffer &x = program.buffers[a], &y = program.buffers[b];
  if (x.kind == BufferKind::kInStrip && y.kind == BufferKind::kInStrip) return x.offset == y.offset;  // of one step
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
  if (!reuse) PlaceApart(program);
  else if (program.steps.size() <= kMaxExactSteps) ExactPlanner(program).Run();
  else SweepPlanner(program).Run();
  for (const Buffer& buffer : program.buffers) {
    if (IsInArena(buffer)) program.arena_bytes = std::max(program.arena_bytes, EndOf(buffer.offset, buffer.bytes));
  }
  for (Step& step : program.steps) {
    FindLateWrites(program, step.program);
    for (Link& link : step.chain) FindLateWrites(program, link.program);
  }
  return program;
}

}  // namespace weft
