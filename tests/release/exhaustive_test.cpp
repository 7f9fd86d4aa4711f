// Every f32 there is, through every elementwise op of one operand, on one SIMD target of each class: targets of a class
// give the same bits. A minute of a core or two an op and target. `./run test --release`
#include <iostream>
#include <map>

#include <gtest/gtest.h>

#include "weft/tests/support/simd_targets.h"
#include "weft/tests/support/ulp_sweep.h"

namespace weft {
namespace {

// The best target of each class.
std::vector<int64_t> TargetOfEachClass() {
  std::map<bool, int64_t> of_class;
  for (int64_t target : SimdTargets()) of_class.emplace(HasFusedMultiplyAdd(target), target);
  std::vector<int64_t> targets;
  for (const auto& [fused, target] : of_class) targets.push_back(target);
  return targets;
}

class AllFloats : public testing::TestWithParam<UnaryCase> {};

INSTANTIATE_TEST_SUITE_P(Ops, AllFloats, testing::ValuesIn(UnaryCases()),
                         [](const auto& tested) { return Name(tested.param); });

TEST_P(AllFloats, AreWithinTheBoundOfTheOp) {
  for (const UlpReport& report : SweepUlp(GetParam(), 1, TargetOfEachClass())) {
    std::cout << Name(GetParam()) << "  " << ToString(report) << std::endl;
    EXPECT_EQ(report.inputs, uint64_t{1} << 32);
    EXPECT_LE(report.most_steps, GetParam().ulp) << ToString(report);
  }
}

}  // namespace
}  // namespace weft
