// Pages by mmap, the first and the last of which may not be touched.
#include "weft/tests/support/guarded_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>
#include <utility>

namespace weft {
namespace {

size_t PageBytes() {
  static const auto bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

}  // namespace

GuardedMemory::GuardedMemory(size_t capacity) {
  const size_t page = PageBytes(), inside = (capacity + page - 1) / page * page;
  void* const whole = mmap(nullptr, inside + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (whole == MAP_FAILED) throw std::bad_alloc();
  all_ = {static_cast<std::byte*>(whole) + page, inside};
  if (inside > 0 && mprotect(all_.data(), inside, PROT_READ | PROT_WRITE) != 0) {
    munmap(whole, inside + 2 * page);
    throw std::bad_alloc();
  }
}

GuardedMemory::~GuardedMemory() {
  if (all_.data() != nullptr) munmap(all_.data() - PageBytes(), all_.size() + 2 * PageBytes());
}

GuardedMemory::GuardedMemory(GuardedMemory&& other) noexcept : all_(std::exchange(other.all_, {})) {}

std::span<std::byte> GuardedMemory::at(Side side, size_t size, size_t gap) const {
  return all_.subspan(side == Side::kBegin ? gap : all_.size() - gap - size, size);
}

}  // namespace weft
