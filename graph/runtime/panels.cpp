// Copies rows of panels.
#include "weft/graph/runtime/panels.h"

#include <algorithm>
#include <cstring>

namespace weft {
namespace {

// visit(offset in the row-major matrix, offset in the panels, bytes), for each piece of a row in a panel.
template <class Visit>
void ForPieces(int64_t rows, int64_t columns, int64_t size, int64_t begin, int64_t end, const Visit& visit) {
  const int64_t row_bytes = columns * size;
  for (int64_t at = 0; at < row_bytes; at += kPanelRowBytes) {
    const int64_t bytes = row_bytes - at;
    for (int64_t row = begin; row < end; ++row) {
      // A constant where it can be: the compiler then copies without a call.
      if (bytes >= kPanelRowBytes) visit(row * row_bytes + at, at * rows + row * kPanelRowBytes, kPanelRowBytes);
      else visit(row * row_bytes + at, at * rows + row * kPanelRowBytes, bytes);
    }
  }
}

}  // namespace

void ToPanels(const std::byte* from, int64_t rows, int64_t columns, int64_t size, int64_t begin, int64_t end,
              std::byte* to) {
  ForPieces(rows, columns, size, begin, end, [&](int64_t row_major, int64_t panels, int64_t bytes) {
    std::memcpy(to + panels, from + row_major, static_cast<size_t>(bytes));
    std::memset(to + panels + bytes, 0, static_cast<size_t>(kPanelRowBytes - bytes));
  });
}

void FromPanels(const std::byte* from, int64_t rows, int64_t columns, int64_t size, int64_t begin, int64_t end,
                std::byte* to) {
  ForPieces(rows, columns, size, begin, end, [&](int64_t row_major, int64_t panels, int64_t bytes) {
    std::memcpy(to + row_major, from + panels, static_cast<size_t>(bytes));
  });
}

}  // namespace weft
