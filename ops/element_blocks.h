// How a step that makes or moves elements one by one is cut into blocks: by their number alone.
#pragma once

#include <algorithm>
#include <cstdint>

namespace weft {

// 16 Ki elements: some 10 µs of work; as f32, read and written, they fill half an L2 of 256 KiB. A multiple of the
// lanes of any vector, so blocks may work in whole vectors: what goes past the last element falls into the padding.
inline constexpr int64_t kElementsPerBlock = 16384;

// At least 1, so that a step over nothing is a step; at most 2²⁶ (see Shape::kMaxElements).
inline uint32_t BlocksOfElements(int64_t elements) {
  return static_cast<uint32_t>(std::max<int64_t>(1, (elements + kElementsPerBlock - 1) / kElementsPerBlock));
}

struct ElementRange {
  int64_t begin, end;
};
inline ElementRange ElementsOfBlocks(int64_t elements, uint32_t begin, uint32_t end) {
  return {std::min(elements, begin * kElementsPerBlock), std::min(elements, end * kElementsPerBlock)};
}

}  // namespace weft
