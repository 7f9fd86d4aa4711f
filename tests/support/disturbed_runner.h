// A runner in front of another that makes it less regular: before every task and piece it waits a random while.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <thread>

#include "weft/graph/runtime/task_runner.h"

namespace weft {

class DisturbedRunner : public TaskRunner {
 public:
  // Waits 0 to `most_microseconds`; 0: not at all, and only takes down who works.
  DisturbedRunner(TaskRunner& runner, uint32_t most_microseconds, uint64_t seed);
  ~DisturbedRunner() override;

  int concurrency() const override { return runner_.concurrency(); }
  void Run(const Task& root) override;

  // How many threads have worked on tasks or pieces so far.
  size_t threads_seen() const;

 private:
  friend class DisturbedScope;
  void Disturb();

  TaskRunner& runner_;
  const uint32_t most_microseconds_;
  std::atomic<uint64_t> state_;
  mutable std::mutex mutex_;
  std::set<std::thread::id> threads_;
};

}  // namespace weft
