// TaskRunner: all that the executor knows of threads.
#pragma once

#include <cstdint>

namespace weft {

class TaskScope;

// Plain records: nothing is allocated to hand out work.
struct Task {
  void (*function)(TaskScope& scope, void* context, uint32_t step);
  void* context;
  uint32_t step;
};

struct BlockTask {
  void (*function)(void* context, uint32_t step, uint32_t begin, uint32_t end);
  void* context;
  uint32_t step;
};

// The tasks of one run; several runs may share a runner.
class TaskScope {
 public:
  virtual ~TaskScope() = default;
  virtual void Spawn(const Task& task) = 0;  // to be run at any time, by any thread
  // Calls the function over [0, blocks) in pieces of at most `grain`, and returns when all is done. While it waits, the
  // thread does nothing but pieces of this call, or, in the arena of a host, tasks of this run.
  virtual void ForBlocks(uint32_t blocks, uint32_t grain, const BlockTask& task) = 0;
};

// Its threads need 1 MiB of stack: kernels keep the blocks that they work on there.
class TaskRunner {
 public:
  virtual ~TaskRunner() = default;
  virtual int concurrency() const = 0;
  // Runs the task and all it spawns; returns when they are done, and rethrows the first exception.
  virtual void Run(const Task& root) = 0;
};

}  // namespace weft
