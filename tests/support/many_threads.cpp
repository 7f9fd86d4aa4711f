// A step whose blocks wait for each other.
#include "weft/tests/support/many_threads.h"

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

namespace weft {
namespace {

struct Meeting {
  uint32_t expected;
  std::atomic<uint32_t> arrived = 0;
  std::mutex mutex = {};
  std::set<std::thread::id> threads = {};
};

void Arrive(void* context, uint32_t, uint32_t, uint32_t) {
  constexpr int kPatience = 5'000'000;  // yields, so that too few threads are a failure and not a test without end
  auto& meeting = *static_cast<Meeting*>(context);
  {
    const std::scoped_lock lock(meeting.mutex);
    meeting.threads.insert(std::this_thread::get_id());
  }
  ++meeting.arrived;
  for (int i = 0; i < kPatience && meeting.arrived < meeting.expected; ++i) std::this_thread::yield();
}

}  // namespace

int ManyThreads::CountMeeting(int blocks) {
  Meeting meeting{.expected = static_cast<uint32_t>(blocks)};
  const auto root = [](TaskScope& scope, void* context, uint32_t) {
    scope.ForBlocks(static_cast<Meeting*>(context)->expected, 1, {Arrive, context, 0});
  };
  runner_.Run({root, &meeting, 0});
  return static_cast<int>(meeting.threads.size());
}

}  // namespace weft
