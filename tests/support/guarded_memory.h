// Memory between unreadable pages: who reads or writes a byte beyond its end, or before its beginning, dies there.
#pragma once

#include <cstddef>
#include <span>

namespace weft {

// Which end of the memory lies at an unreadable page.
enum class Side { kBegin, kEnd };
inline constexpr Side kSides[] = {Side::kBegin, Side::kEnd};

class GuardedMemory {
 public:
  explicit GuardedMemory(size_t capacity);  // in bytes; throws std::bad_alloc
  ~GuardedMemory();
  GuardedMemory(GuardedMemory&& other) noexcept;
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  // Between the two guards: `capacity` bytes or some more, whole pages. The first is aligned to a page.
  std::span<std::byte> all() const { return all_; }
  // `size` bytes, `gap` bytes from that guard.
  std::span<std::byte> at(Side side, size_t size, size_t gap = 0) const;

 private:
  std::span<std::byte> all_;
};

}  // namespace weft
