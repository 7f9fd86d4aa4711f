// TbbRunner: tasks on oneTBB. Its source is the only file that includes TBB.
#pragma once

#include <memory>

#include "weft/graph/runtime/task_runner.h"

namespace weft {

class TbbRunner : public TaskRunner {
 public:
  // An arena of its own with `threads` places, the caller's included; 0: as many as the process may use. TBB gives it
  // no more threads than its global limit allows, which is the host's to set.
  explicit TbbRunner(int threads = 0);
  // Borrows the arena that the calling thread is in.
  struct HostArena {};
  explicit TbbRunner(HostArena);
  ~TbbRunner() override;

  int concurrency() const override;
  void Run(const Task& root) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft
