// One queue of jobs under one mutex: slow, and simple enough to be seen to be right. A step allocates nothing.
#include "weft/tests/support/thread_pool_runner.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace weft {

// What belongs together and is waited for: a run, or a call of ForBlocks. After an exception what has not begun is left
// out, as TBB does.
struct Group {
  int pending = 0;
  std::exception_ptr error = nullptr;
};

class ThreadPoolRunner::Pool {
 public:
  // A step, or some blocks of one.
  struct Job {
    Group* group = nullptr;
    TaskScope* scope = nullptr;  // null: blocks
    Task task = {};
    BlockTask block_task = {};
    uint32_t begin = 0, end = 0;

    void Do() const {
      if (scope != nullptr) task.function(*scope, task.context, task.step);
      else block_task.function(block_task.context, block_task.step, begin, end);
    }
  };

  enum class Helps { kWithAll, kWithItsGroup };

  explicit Pool(int threads) : concurrency_(threads) {
    jobs_.reserve(4096);  // more than are ever waiting
    for (int i = 1; i < threads; ++i) threads_.emplace_back([this] { Work(); });
  }
  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int concurrency() const { return concurrency_; }

  void Add(const Job& job) {
    {
      const std::lock_guard lock(mutex_);
      ++job.group->pending;
      jobs_.push_back(job);
    }
    changed_.notify_all();
  }

  // Rethrows the first exception. Helps meanwhile, as TBB does: whoever waits for a run takes up any job, whoever waits
  // in the middle of a step those of its group alone.
  void Wait(Group& group, Helps helps) {
    std::unique_lock lock(mutex_);
    while (group.pending > 0) {
      const auto job = helps == Helps::kWithAll ? jobs_.begin() : std::ranges::find(jobs_, &group, &Job::group);
      if (job != jobs_.end()) Do(lock, job);
      else changed_.wait(lock);
    }
    if (group.error) std::rethrow_exception(group.error);
  }

 private:
  void Work() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
      if (jobs_.empty()) changed_.wait(lock);
      else Do(lock, jobs_.begin());
    }
  }

  void Do(std::unique_lock<std::mutex>& lock, std::vector<Job>::iterator which) {
    const Job job = *which;
    jobs_.erase(which);
    if (!job.group->error) {
      lock.unlock();
      std::exception_ptr error;
      try {
        job.Do();
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      if (!job.group->error) job.group->error = error;
    }
    if (--job.group->pending == 0) changed_.notify_all();
  }

  const int concurrency_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Job> jobs_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

namespace {

class PoolScope : public TaskScope {
 public:
  PoolScope(ThreadPoolRunner::Pool& pool, Group& group) : pool_(pool), group_(group) {}

  void Spawn(const Task& task) override { pool_.Add({.group = &group_, .scope = this, .task = task}); }

  void ForBlocks(uint32_t blocks, uint32_t grain, const BlockTask& task) override {
    Group pieces;
    for (uint32_t begin = 0; begin < blocks; begin += grain) {
      const uint32_t end = std::min(blocks, begin + grain);
      pool_.Add({.group = &pieces, .block_task = task, .begin = begin, .end = end});
    }
    pool_.Wait(pieces, ThreadPoolRunner::Pool::Helps::kWithItsGroup);
  }

 private:
  ThreadPoolRunner::Pool& pool_;
  Group& group_;
};

}  // namespace

ThreadPoolRunner::ThreadPoolRunner(int threads) : pool_(std::make_unique<Pool>(threads)) {}
ThreadPoolRunner::~ThreadPoolRunner() = default;
int ThreadPoolRunner::concurrency() const { return pool_->concurrency(); }

void ThreadPoolRunner::Run(const Task& root) {
  Group run;
  PoolScope scope(*pool_, run);
  scope.Spawn(root);
  pool_->Wait(run, Pool::Helps::kWithAll);
}

}  // namespace weft
