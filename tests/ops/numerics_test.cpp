// Which bits: the class of each target, and a process that gives up fused multiply-add.
#include "weft/ops/numerics.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "weft/ops/ops.h"
#include "weft/tests/support/bits.h"
#include "weft/tests/support/simd_targets.h"

namespace weft {
namespace {

TEST(Numerics, FollowTheTargetInUse) {
  for (const int64_t target : SimdTargets()) {
    const OnSimdTarget on(target);
    EXPECT_EQ(CurrentNumericsClass(), ClassOfTarget(target)) << SimdTargetName(target);
    EXPECT_EQ(NumericsText(), "1 " + std::string(Name(ClassOfTarget(target))));
  }
#if defined(__x86_64__) && defined(__GNUC__) && !defined(HWY_COMPILE_ONLY_STATIC)
  const bool has_fma = __builtin_cpu_supports("avx2");
  EXPECT_EQ(CurrentNumericsClass(), has_fma ? NumericsClass::kFma : NumericsClass::kNoFma);
#endif
}

// In a process of its own, as it cannot be taken back.
TEST(Numerics, PortableOnesAreThoseWithoutFusedMultiplyAdd) {
  std::vector<BitsLine> expected;
  {
    const OnSimdTarget on(SimdTargets().back());
    ASSERT_EQ(CurrentNumericsClass(), NumericsClass::kNoFma);
    expected = BitsOfOps();
  }
  const auto portable = [&] {
    UsePortableNumerics();
    std::exit(CurrentNumericsClass() == NumericsClass::kNoFma && BitsOfOps() == expected ? 0 : 1);
  };
  EXPECT_EXIT(portable(), testing::ExitedWithCode(0), "");
  const auto native = [&] { std::exit(BitsOfOps() == expected ? 0 : 1); };
  EXPECT_EXIT(native(), testing::ExitedWithCode(CurrentNumericsClass() == NumericsClass::kFma ? 1 : 0), "");
}

}  // namespace
}  // namespace weft
