// Counts what the executable allocates by `new`, in all threads, and lets it fail. A program that uses this has its
// operators new and delete replaced.
#pragma once

#include <cstddef>

namespace weft {

// Allocations since the start.
size_t AllocationCount();
// Of those, how many were not given back yet.
size_t LiveAllocations();

// As long as it lives, the `k`-th allocation fails, 1 the next one; with `and_later` all behind it, too.
class FailingAllocation {
 public:
  explicit FailingAllocation(size_t k, bool and_later = false);
  ~FailingAllocation();
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;

  static bool happened();  // of the one that lives
};

}  // namespace weft
