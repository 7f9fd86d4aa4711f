// Memory that runs out at each of the first 5,000 allocations of every stage of a model's life.
#include "weft/tests/support/memory_shortage.h"

#include <iostream>

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(NightlyMemoryShortage, EveryAllocation) {
  RunShortOfMemory(5'000);  // once, for what libraries keep
  const auto [failures, kept] = RunShortOfMemory(1);
  EXPECT_EQ(kept, 0U);
  EXPECT_GT(failures, 20'000U);
  std::cout << failures << " allocations failed\n";
}

}  // namespace
}  // namespace weft
