// NameIndex: which node a name belongs to. One flat table with the hashes in it: a graph passes through many rooms, and
// each of them names all nodes anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "weft/graph/node_id.h"

namespace weft {

class NameIndex {
 public:
  // False if the name is there already. The text must stay where it is until it is erased.
  bool Insert(std::string_view name, NodeId id);
  NodeId Find(std::string_view name) const;  // kNoNode if there is none
  void Erase(std::string_view name);
  void Reserve(size_t names);

 private:
  struct Slot {
    std::string_view name;
    uint32_t hash = 0;
    NodeId id = kNoNode;  // none: the slot is free
  };

  size_t mask() const { return slots_.size() - 1; }
  // Where the name is, or the free slot where it would be: names stand as near behind their hash's slot as they can.
  size_t Position(std::string_view name, uint32_t hash) const;
  void Resize(size_t slots);

  std::vector<Slot> slots_;  // none or a power of two, at most half of them used
  size_t size_ = 0;
};

}  // namespace weft
