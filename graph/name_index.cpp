// Open addressing with linear probing; no tombstones.
#include "weft/graph/name_index.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

namespace weft {
namespace {

uint32_t HashOf(std::string_view name) { return static_cast<uint32_t>(std::hash<std::string_view>{}(name)); }

}  // namespace

bool NameIndex::Insert(std::string_view name, NodeId id) {
  Reserve(size_ + 1);
  const uint32_t hash = HashOf(name);
  Slot& slot = slots_[Position(name, hash)];
  if (slot.id != kNoNode) return false;
  slot = {.name = name, .hash = hash, .id = id};
  ++size_;
  return true;
}

NodeId NameIndex::Find(std::string_view name) const {
  return slots_.empty() ? kNoNode : slots_[Position(name, HashOf(name))].id;
}

void NameIndex::Erase(std::string_view name) {
  if (Find(name) == kNoNode) return;
  size_t hole = Position(name, HashOf(name));
  --size_;
  // Whoever stands behind the hole, and not between it and the slot of its hash, moves up.
  for (size_t at = (hole + 1) & mask(); slots_[at].id != kNoNode; at = (at + 1) & mask()) {
    const size_t from_home = (at - slots_[at].hash) & mask(), from_hole = (at - hole) & mask();
    if (from_home < from_hole) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = {};
}

void NameIndex::Reserve(size_t names) {
  constexpr size_t kFewest = 16;
  if (2 * names > slots_.size()) Resize(std::max(kFewest, std::bit_ceil(2 * names)));
}

size_t NameIndex::Position(std::string_view name, uint32_t hash) const {
  size_t at = hash & mask();
  while (slots_[at].id != kNoNode && (slots_[at].hash != hash || slots_[at].name != name)) at = (at + 1) & mask();
  return at;
}

void NameIndex::Resize(size_t slots) {
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots));
  for (const Slot& slot : old) {
    if (slot.id == kNoNode) continue;
    size_t at = slot.hash & mask();
    while (slots_[at].id != kNoNode) at = (at + 1) & mask();
    slots_[at] = slot;
  }
}

}  // namespace weft
