// TbbRunner without TBB, in builds under ThreadSanitizer, which cannot see into oneTBB and would report hundreds of
// races that are none, or with the usual suppressions none at all.
#include "weft/graph/runtime/tbb_runner.h"

#include <thread>

#include "weft/tests/support/thread_pool_runner.h"

namespace weft {

struct TbbRunner::State {
  ThreadPoolRunner pool;
};

TbbRunner::TbbRunner(int threads)
    : state_(
          new State{ThreadPoolRunner(threads > 0 ? threads : static_cast<int>(std::thread::hardware_concurrency()))}) {}
TbbRunner::TbbRunner(HostArena) : TbbRunner() {}
TbbRunner::~TbbRunner() = default;

int TbbRunner::concurrency() const { return state_->pool.concurrency(); }
void TbbRunner::Run(const Task& root) { state_->pool.Run(root); }

}  // namespace weft
