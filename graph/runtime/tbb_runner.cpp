// The only file that includes TBB.
#include "weft/graph/runtime/tbb_runner.h"

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

namespace weft {
namespace {

namespace tbb = oneapi::tbb;

class TbbScope : public TaskScope {
 public:
  TbbScope(tbb::task_group& group, bool is_isolated) : group_(group), is_isolated_(is_isolated) {}

  void Spawn(const Task& task) override {
    group_.run([this, task] { task.function(*this, task.context, task.step); });
  }

  void ForBlocks(uint32_t blocks, uint32_t grain, const BlockTask& task) override {
    const auto for_blocks = [&] {
      const auto body = [&](const tbb::blocked_range<uint32_t>& range) {
        task.function(task.context, task.step, range.begin(), range.end());
      };
      tbb::parallel_for(tbb::blocked_range<uint32_t>(0, blocks, grain), body, tbb::simple_partitioner());
    };
    // Isolated: a thread that waits here must not start another step in the middle of this one. But threads of a run
    // that is isolated as a whole take up tasks of no inner isolation: they would leave the blocks to this thread
    // alone.
    if (is_isolated_) for_blocks();
    else tbb::this_task_arena::isolate(for_blocks);
  }

 private:
  tbb::task_group& group_;
  bool is_isolated_;
};

}  // namespace

struct TbbRunner::State {
  tbb::task_arena arena;
  bool is_of_host;
};

TbbRunner::TbbRunner(int threads)
    : state_(std::make_unique<State>(
          State{tbb::task_arena(threads > 0 ? threads : tbb::info::default_concurrency()), false})) {
  state_->arena.initialize();
}

TbbRunner::TbbRunner(HostArena)
    : state_(std::make_unique<State>(State{tbb::task_arena(tbb::task_arena::attach()), true})) {}

TbbRunner::~TbbRunner() = default;

int TbbRunner::concurrency() const { return state_->arena.max_concurrency(); }

void TbbRunner::Run(const Task& root) {
  const bool is_of_host = state_->is_of_host;
  const auto run = [&] {
    // A context of its own: what the host cancels around it would leave steps out and go on with the next.
    tbb::task_group_context context(tbb::task_group_context::isolated);
    tbb::task_group group(context);
    TbbScope scope(group, is_of_host);
    group.run_and_wait([&] { root.function(scope, root.context, root.step); });
  };
  state_->arena.execute([&] {
    // Isolated: a thread that waits here must not take up a task of the host, which might wait for what this run has
    // locked. An arena of our own has no such tasks.
    if (is_of_host) tbb::this_task_arena::isolate(run);
    else run();
  });
}

}  // namespace weft
