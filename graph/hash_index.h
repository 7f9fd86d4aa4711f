// HashIndex: finds a number by the hash of what it stands for. One flat table, by open addressing with linear probing
// and no tombstones; what is compared lies elsewhere, so numbers can change without a look at it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace weft {

class HashIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // The number with this hash that `is_it` accepts; kNone if there is none.
  template <class IsIt>
  uint32_t Find(uint32_t hash, const IsIt& is_it) const {
    if (slots_.empty()) return kNone;
    size_t at = hash & mask();
    while (slots_[at].number != kNone && (slots_[at].hash != hash || !is_it(slots_[at].number))) at = (at + 1) & mask();
    return slots_[at].number;
  }

  void Insert(uint32_t hash, uint32_t number) {
    Reserve(size_ + 1);
    Put({.hash = hash, .number = number});
    ++size_;
  }

  void Erase(uint32_t hash, uint32_t number) {
    size_t hole = hash & mask();
    while (slots_[hole].number != number) hole = (hole + 1) & mask();
    // Whoever stands behind the hole, and not between it and the slot of its hash, moves up.
    for (size_t at = (hole + 1) & mask(); slots_[at].number != kNone; at = (at + 1) & mask()) {
      const size_t from_home = (at - slots_[at].hash) & mask(), from_hole = (at - hole) & mask();
      if (from_home < from_hole) continue;
      slots_[hole] = slots_[at];
      hole = at;
    }
    slots_[hole] = {};
    --size_;
  }

  // now(number) takes the place of each number; what it gives kNone for is erased.
  template <class Now>
  void Renumber(const Now& now) {
    std::vector<Slot> old = std::exchange(slots_, {});
    for (Slot& slot : old) {
      if (slot.number != kNone) slot.number = now(slot.number);
    }
    const auto kept = std::ranges::count_if(old, [](const Slot& slot) { return slot.number != kNone; });
    size_ = static_cast<size_t>(kept);
    Resize(size_, old);
  }

  void Reserve(size_t numbers) {
    if (2 * numbers > slots_.size()) Resize(numbers, std::exchange(slots_, {}));
  }

 private:
  struct Slot {
    uint32_t hash = 0;
    uint32_t number = kNone;  // none: the slot is free
  };

  size_t mask() const { return slots_.size() - 1; }

  void Put(const Slot& slot) {
    size_t at = slot.hash & mask();
    while (slots_[at].number != kNone) at = (at + 1) & mask();
    slots_[at] = slot;
  }

  void Resize(size_t numbers, const std::vector<Slot>& old) {
    constexpr size_t kFewest = 16;
    slots_.resize(std::max(kFewest, std::bit_ceil(2 * numbers)));
    for (const Slot& slot : old) {
      if (slot.number != kNone) Put(slot);
    }
  }

  std::vector<Slot> slots_;  // none or a power of two, at most half of them used
  size_t size_ = 0;
};

}  // namespace weft
