// Matrices in panels: where each element lies, whatever rows are copied at a time.
#include "weft/graph/runtime/panels.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "weft/graph/kernel.h"

namespace weft {
namespace {

TEST(Panels, AreCopiedToAndFroPieceByPiece) {
  constexpr int64_t kRows = 7, kColumns = 70, kWidth = kPanelRowBytes / int64_t{sizeof(float)};
  constexpr int64_t kPadded = (kColumns + kWidth - 1) / kWidth * kWidth;
  std::vector<float> plain(kRows * kColumns), panels(kRows * kPadded, -1), back(plain.size());
  std::iota(plain.begin(), plain.end(), 1.0F);
  const auto bytes = [](std::vector<float>& values) { return std::as_writable_bytes(std::span(values)).data(); };
  const auto in_pieces = [&](auto copy, const std::byte* from, std::byte* to) {
    for (int64_t row = 0; row < kRows; row += 3)
      copy(from, kRows, kColumns, int64_t{sizeof(float)}, row, std::min(kRows, row + 3), to);
  };
  in_pieces(ToPanels, bytes(plain), bytes(panels));
  for (int64_t row = 0; row < kRows; ++row) {
    for (int64_t column = 0; column < kPadded; ++column) {
      const auto at = static_cast<size_t>(column / kWidth * kWidth * kRows + row * kWidth + column % kWidth);
      EXPECT_EQ(panels[at], column < kColumns ? static_cast<float>(row * kColumns + column + 1) : 0)
          << row << ", " << column;
    }
  }
  in_pieces(FromPanels, bytes(panels), bytes(back));
  EXPECT_EQ(back, plain);
}

}  // namespace
}  // namespace weft
