// A seventeenth of all f32 inputs, through every elementwise op of one operand, on every SIMD target.
// `./run test --nightly`
#include <iostream>

#include <gtest/gtest.h>

#include "weft/tests/support/simd_targets.h"
#include "weft/tests/support/ulp_sweep.h"

namespace weft {
namespace {

constexpr uint32_t kStride = 17;  // a prime, so that all last digits come

class ManyFloats : public testing::TestWithParam<UnaryCase> {};

INSTANTIATE_TEST_SUITE_P(Ops, ManyFloats, testing::ValuesIn(UnaryCases()),
                         [](const auto& tested) { return Name(tested.param); });

TEST_P(ManyFloats, AreWithinTheBoundOfTheOp) {
  for (const UlpReport& report : SweepUlp(GetParam(), kStride, SimdTargets())) {
    std::cout << Name(GetParam()) << "  " << ToString(report) << std::endl;
    EXPECT_LE(report.most_steps, GetParam().ulp) << ToString(report);
  }
}

}  // namespace
}  // namespace weft
