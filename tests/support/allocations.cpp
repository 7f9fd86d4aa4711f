// The replaced operators new and delete.
#include "weft/tests/support/allocations.h"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

constexpr size_t kNever = SIZE_MAX;

std::atomic<size_t> count = 0, freed = 0;
std::atomic<size_t> failing = kNever;  // the number of the first allocation that fails
std::atomic<bool> and_later = false, happened = false;

bool Fails(size_t number) {
  const size_t first = failing;
  if (number != first && (number < first || !and_later)) return false;
  return happened = true;
}

void* AllocateOrNull(size_t size, size_t alignment) {
  if (Fails(++count)) {
    ++freed;
    return nullptr;
  }
  // aligned_alloc wants a multiple of the alignment.
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void* Allocate(size_t size, size_t alignment) {
  if (void* memory = AllocateOrNull(size, alignment)) return memory;
  throw std::bad_alloc();
}

void Free(void* memory) {
  if (memory != nullptr) ++freed;
  std::free(memory);
}

}  // namespace

void* operator new(size_t size) { return Allocate(size, alignof(std::max_align_t)); }
void* operator new(size_t size, std::align_val_t alignment) { return Allocate(size, static_cast<size_t>(alignment)); }
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return AllocateOrNull(size, alignof(std::max_align_t));
}
void operator delete(void* memory) noexcept { Free(memory); }
void operator delete(void* memory, size_t) noexcept { Free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { Free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { Free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { Free(memory); }

namespace weft {

size_t AllocationCount() { return count; }
size_t LiveAllocations() { return count - freed; }

FailingAllocation::FailingAllocation(size_t k, bool later) {
  ::happened = false;
  ::and_later = later;
  failing = count + k;
}
FailingAllocation::~FailingAllocation() { failing = kNever; }
bool FailingAllocation::happened() { return ::happened; }

}  // namespace weft
