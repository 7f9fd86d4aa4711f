// Memory that runs out at every 37th allocation of a model's life; the nightly test takes every one.
#include "weft/tests/support/memory_shortage.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(MemoryShortage, ThrowsLeaksNothingAndLeavesAllUsable) {
  RunShortOfMemory(37);  // once, for what libraries keep
  const auto [failures, kept] = RunShortOfMemory(37);
  EXPECT_EQ(kept, 0U);
  EXPECT_GT(failures, 500U);
  RecordProperty("allocations_failed", static_cast<int>(failures));
}

}  // namespace
}  // namespace weft
