// Every kernel beside unreadable pages, on every SIMD target, in f32 and for some of the sizes: all, and f64, are
// nightly.
#include <gtest/gtest.h>

#include "weft/ops/all_ops.h"
#include "weft/tests/support/guarded_memory.h"
#include "weft/tests/support/kernel_edges.h"
#include "weft/tests/support/simd_targets.h"

namespace weft {
namespace {

class KernelsAtTheEdge : public testing::TestWithParam<const OpDef*> {};

INSTANTIATE_TEST_SUITE_P(AllOps, KernelsAtTheEdge, testing::ValuesIn(AllOps().begin(), AllOps().end()),
                         [](const auto& tested) { return std::string(*tested.param->name); });

TEST_P(KernelsAtTheEdge, KeepToTheirMemory) {
  for (int64_t target : SimdTargets()) {
    const OnSimdTarget on(target);
    SCOPED_TRACE(SimdTargetName(target));
    ExpectBlocksKeepToTheirMemory(*GetParam(), DType::kFloat32, SomeEdgeSizes());
    ExpectStepsKeepToTheirMemory(*GetParam(), DType::kFloat32);
  }
}

// What the tests above rely on.
TEST(GuardedMemoryDeathTest, EndsWhoeverTouchesAByteBesideIt) {
  const GuardedMemory memory(100);
  for (const Side side : kSides) {
    const std::span<std::byte> bytes = memory.at(side, 100);
    for (std::byte& b : bytes) b = std::byte{1};
    volatile std::byte* const outside = side == Side::kBegin ? bytes.data() - 1 : bytes.data() + bytes.size();
    EXPECT_DEATH([[maybe_unused]] const std::byte read = *outside, "");
    EXPECT_DEATH(*outside = std::byte{2}, "");
  }
}

}  // namespace
}  // namespace weft
