// SerialRunner: all tasks on the calling thread, in the order in which they were spawned. No pool to start or to wait
// for, so a run costs what it computes.
#pragma once

#include <algorithm>
#include <deque>

#include "weft/graph/runtime/task_runner.h"

namespace weft {

class SerialRunner : public TaskRunner {
 public:
  int concurrency() const override { return 1; }
  void Run(const Task& root) override {
    Scope scope;
    scope.Spawn(root);
    while (!scope.tasks.empty()) {
      const Task task = scope.tasks.front();
      scope.tasks.pop_front();
      task.function(scope, task.context, task.step);
    }
  }

 private:
  struct Scope : TaskScope {
    void Spawn(const Task& task) override { tasks.push_back(task); }
    void ForBlocks(uint32_t blocks, uint32_t grain, const BlockTask& task) override {
      for (uint32_t begin = 0; begin < blocks; begin += std::min(grain, blocks - begin))
        task.function(task.context, task.step, begin, begin + std::min(grain, blocks - begin));
    }
    std::deque<Task> tasks;
  };
};

}  // namespace weft
