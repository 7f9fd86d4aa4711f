// More threads than the machine has cores, for tests: TBB hands out no more than its global limit unless it is told to.
#pragma once

#include <oneapi/tbb/global_control.h>

#include "weft/graph/runtime/tbb_runner.h"

namespace weft {

class ManyThreads {
 public:
  explicit ManyThreads(int threads)
      : limit_(oneapi::tbb::global_control::max_allowed_parallelism, static_cast<size_t>(threads)), runner_(threads) {}

  TaskRunner& runner() { return runner_; }
  // How many threads meet in one step of the runner when each block waits for the others: as many as asked for, unless
  // the limit was not raised.
  int CountMeeting(int blocks);

 private:
  oneapi::tbb::global_control limit_;
  TbbRunner runner_;
};

}  // namespace weft
