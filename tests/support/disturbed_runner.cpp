// Tasks and pieces are handed on inside of records of our own.
#include "weft/tests/support/disturbed_runner.h"

#include <chrono>
#include <deque>

namespace weft {

class DisturbedScope : public TaskScope {
 public:
  struct Record {
    DisturbedScope* scope;
    Task task;
  };

  DisturbedScope(DisturbedRunner& runner, const Task& root) : runner_(runner), root_({this, root}) {}
  Record& root() { return root_; }

  static void RunTask(TaskScope& inner, void* context, uint32_t step) {
    const Record& record = *static_cast<Record*>(context);
    // The inner scope is the same object for all tasks of a run: the first one makes it known before it spawns others.
    record.scope->inner_.store(&inner);
    record.scope->runner_.Disturb();
    record.task.function(*record.scope, record.task.context, step);
  }

  void Spawn(const Task& task) override {
    Record* record = nullptr;
    {
      const std::lock_guard lock(mutex_);
      record = &spawned_.emplace_back(Record{this, task});
    }
    inner_.load()->Spawn({RunTask, record, task.step});
  }

  void ForBlocks(uint32_t blocks, uint32_t grain, const BlockTask& task) override {
    struct Call {
      DisturbedRunner& runner;
      const BlockTask& task;
    } call{runner_, task};
    const auto piece = [](void* context, uint32_t step, uint32_t begin, uint32_t end) {
      const Call& c = *static_cast<Call*>(context);
      c.runner.Disturb();
      c.task.function(c.task.context, step, begin, end);
    };
    inner_.load()->ForBlocks(blocks, grain, {piece, &call, task.step});
  }

 private:
  DisturbedRunner& runner_;
  Record root_;
  std::atomic<TaskScope*> inner_ = nullptr;
  std::mutex mutex_;
  std::deque<Record> spawned_;
};

DisturbedRunner::DisturbedRunner(TaskRunner& runner, uint32_t most_microseconds, uint64_t seed)
    : runner_(runner), most_microseconds_(most_microseconds), state_(seed) {}
DisturbedRunner::~DisturbedRunner() = default;

void DisturbedRunner::Run(const Task& root) {
  DisturbedScope scope(*this, root);
  runner_.Run({DisturbedScope::RunTask, &scope.root(), root.step});
}

size_t DisturbedRunner::threads_seen() const {
  const std::lock_guard lock(mutex_);
  return threads_.size();
}

void DisturbedRunner::Disturb() {
  {
    const std::lock_guard lock(mutex_);
    threads_.insert(std::this_thread::get_id());
  }
  if (most_microseconds_ == 0) return;
  constexpr uint64_t kStep = 0x9e3779b97f4a7c15;  // of SplitMix64: its high bits are mixed well enough for a delay
  const uint64_t drawn = (state_.fetch_add(kStep) * 0xbf58476d1ce4e5b9) >> 33;
  std::this_thread::sleep_for(std::chrono::microseconds(drawn % (most_microseconds_ + 1)));
}

}  // namespace weft
