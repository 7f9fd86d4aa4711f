// One queue of jobs under one mutex: slow, and simple enough to be seen to be right.
#include "weft/tests/support/thread_pool_runner.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
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
  explicit Pool(int threads) : concurrency_(threads) {
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

  void Add(Group& group, std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      ++group.pending;
      jobs_.push_back({&group, std::move(work)});
    }
    changed_.notify_all();
  }

  // Does nothing meanwhile but jobs of this group; rethrows the first exception.
  void Wait(Group& group) {
    std::unique_lock lock(mutex_);
    while (group.pending > 0) {
      const auto own = std::ranges::find(jobs_, &group, &Job::group);
      if (own != jobs_.end()) Do(lock, own);
      else changed_.wait(lock);
    }
    if (group.error) std::rethrow_exception(group.error);
  }

 private:
  struct Job {
    Group* group;
    std::function<void()> work;
  };

  void Work() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
      if (jobs_.empty()) changed_.wait(lock);
      else Do(lock, jobs_.begin());
    }
  }

  void Do(std::unique_lock<std::mutex>& lock, std::deque<Job>::iterator which) {
    const Job job = std::move(*which);
    jobs_.erase(which);
    if (!job.group->error) {
      lock.unlock();
      std::exception_ptr error;
      try {
        job.work();
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
  std::deque<Job> jobs_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

namespace {

class PoolScope : public TaskScope {
 public:
  PoolScope(ThreadPoolRunner::Pool& pool, Group& group) : pool_(pool), group_(group) {}

  void Spawn(const Task& task) override {
    pool_.Add(group_, [this, task] { task.function(*this, task.context, task.step); });
  }

  void ForBlocks(uint32_t blocks, uint32_t grain, const BlockTask& task) override {
    Group pieces;
    for (uint32_t begin = 0; begin < blocks; begin += grain) {
      const uint32_t end = std::min(blocks, begin + grain);
      pool_.Add(pieces, [&task, begin, end] { task.function(task.context, task.step, begin, end); });
    }
    pool_.Wait(pieces);
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
  pool_->Wait(run);
}

}  // namespace weft
