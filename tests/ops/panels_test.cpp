// How the work of a matrix product is cut: blocks of panels, chunks of the depth.
#include <gtest/gtest.h>

#include "weft/ops/simd/panels.h"

namespace weft {
namespace {

TEST(BlockGrid, CoversEachPanelOnceInBlocksOfBoundedSize) {
  for (int64_t width : {16, 32}) {
    for (int64_t rows : {1, 5, 32, 33, 128, 784, 3000}) {
      for (int64_t columns : {1, 16, 64, 130, 512, 784, 3000}) {
        const BlockGrid grid = CutIntoBlocks(rows, columns, width);
        int64_t elements = 0;
        for (int64_t block = 0; block < grid.blocks(); ++block) {
          const BlockRange range = grid.range(block);
          EXPECT_EQ(range.row % width + range.column % width, 0);
          EXPECT_LE(range.row_end - range.row, kBlockRowPanels * width);
          EXPECT_LE(range.column_end - range.column, kBlockColumnPanels * width);
          EXPECT_GT(range.row_end, range.row);
          EXPECT_GT(range.column_end, range.column);
          elements += (range.row_end - range.row) * (range.column_end - range.column);
        }
        EXPECT_EQ(elements, rows * columns) << rows << " x " << columns;
      }
    }
  }
}

TEST(DepthChunks, AreInOrderAndFitTheirBuffer) {
  for (int64_t depth : {0, 1, 15, 16, 127, 128, 129, 500, 784, 100'000}) {
    const DepthChunks chunks(depth);
    EXPECT_LE(chunks.length, kStripDepth);
    EXPECT_EQ(chunks.begin(0), 0);
    EXPECT_EQ(chunks.begin(chunks.count()), depth);
    for (int64_t chunk = 0; chunk + 1 < chunks.count(); ++chunk)
      EXPECT_LT(chunks.begin(chunk), chunks.begin(chunk + 1));
  }
}

}  // namespace
}  // namespace weft
