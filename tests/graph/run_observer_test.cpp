// What an observer of a session hears: every block of every step once, in the order of the schedule, and nothing that
// changes a bit.
#include "weft/graph/runtime/run_observer.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include <gtest/gtest.h>

#include "weft/tests/support/many_threads.h"
#include "weft/tests/support/thrown.h"
#include "weft/tests/support/wide_run.h"

namespace weft {
namespace {

using Clock = std::chrono::steady_clock;

class Pieces : public RunObserver {
 public:
  void Begin(const Program& program) override {
    size_t most = 0;
    for (const Step& step : program.steps) most += step.blocks;
    pieces_.resize(most);
    count_ = 0;
    ++runs;
  }
  void Ran(const RanPiece& piece) noexcept override { pieces_[count_++] = piece; }
  std::vector<RanPiece> all() const { return {pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(count_)}; }

  int runs = 0;

 private:
  std::vector<RanPiece> pieces_;
  std::atomic<size_t> count_ = 0;
};

TEST(RunObserver, HearsOfEveryBlockOnceAndOfStepsBehindThoseTheyWaitFor) {
  for (const int threads : {1, 2, 5}) {
    SCOPED_TRACE(threads);
    ManyThreads many(threads);
    WideRun wide(many.runner());
    PreparedRun run = wide.Prepare();
    Pieces pieces;
    wide.session.Observe(&pieces);
    const Clock::time_point before = Clock::now();
    run.Run();
    const Clock::time_point after = Clock::now();
    wide.session.Observe(nullptr);
    run.Run();
    EXPECT_EQ(pieces.runs, 1);

    const Program& program = run.program();
    std::vector<std::vector<int>> ran(program.steps.size());
    std::vector<Clock::time_point> first(program.steps.size(), after), last(program.steps.size(), before);
    for (StepId id = 0; id < program.steps.size(); ++id) ran[id].resize(program.steps[id].blocks);
    for (const RanPiece& piece : pieces.all()) {
      for (uint32_t block = piece.begin; block < piece.end; ++block) ++ran[piece.step][block];
      EXPECT_LE(before, piece.started);
      EXPECT_LE(piece.started, piece.ended);
      EXPECT_LE(piece.ended, after);
      first[piece.step] = std::min(first[piece.step], piece.started);
      last[piece.step] = std::max(last[piece.step], piece.ended);
    }
    for (StepId id = 0; id < program.steps.size(); ++id) {
      EXPECT_EQ(std::ranges::count(ran[id], 1), program.steps[id].blocks) << "step " << id;
      for (const StepId next : program.successors(id)) EXPECT_LE(last[id], first[next]) << id << " → " << next;
    }
  }
}

TEST(RunObserver, ChangesNoBit) {
  ManyThreads many(3);
  WideRun watched(many.runner()), alone(many.runner());
  PreparedRun run = watched.Prepare(), twin = alone.Prepare();
  Pieces pieces;
  watched.session.Observe(&pieces);
  for (int step = 0; step < 3; ++step) {
    run.Run();
    twin.Run();
  }
  EXPECT_EQ(pieces.runs, 3);
  for (const Path& path : watched.store.Paths())
    EXPECT_EQ(watched.store.Get(path), alone.store.Get(path)) << path.str();
}

TEST(RunObserver, ThatCannotBeginEndsTheRun) {
  struct Full : RunObserver {
    void Begin(const Program&) override { throw ResourceError("trace: full"); }
    void Ran(const RanPiece&) noexcept override {}
  } full;
  ManyThreads many(2);
  WideRun wide(many.runner());
  PreparedRun run = wide.Prepare();
  wide.session.Observe(&full);
  EXPECT_EQ(Thrown<ResourceError>([&] { run.Run(); }), "trace: full");
  wide.session.Observe(nullptr);
  run.Run();
}

}  // namespace
}  // namespace weft
