// A task runner of plain std::threads, mutexes and conditions: ThreadSanitizer understands them, and what it cannot see
// into is oneTBB. In a build under TSan it stands in for TBB everywhere (tests/support/tsan/tbb_runner.cpp).
#pragma once

#include <memory>

#include "weft/graph/runtime/task_runner.h"

namespace weft {

class ThreadPoolRunner : public TaskRunner {
 public:
  // The caller of Run works, too: `threads` − 1 are started.
  explicit ThreadPoolRunner(int threads);
  ~ThreadPoolRunner() override;

  int concurrency() const override;
  void Run(const Task& root) override;

  class Pool;

 private:
  std::unique_ptr<Pool> pool_;
};

}  // namespace weft
