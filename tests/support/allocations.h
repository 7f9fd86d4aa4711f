// Counts what the executable allocates by `new`, in all threads.
#pragma once

#include <cstddef>

namespace weft {

// Allocations since the start. A program that calls this has its operator new replaced.
size_t AllocationCount();

}  // namespace weft
