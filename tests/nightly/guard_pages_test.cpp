// Every kernel beside unreadable pages, for all lengths and places. `./run test --nightly`
#include <gtest/gtest.h>

#include "weft/ops/all_ops.h"
#include "weft/tests/support/kernel_edges.h"
#include "weft/tests/support/simd_targets.h"

namespace weft {
namespace {

class KernelsAtEveryEdge : public testing::TestWithParam<const OpDef*> {};

INSTANTIATE_TEST_SUITE_P(AllOps, KernelsAtEveryEdge, testing::ValuesIn(AllOps().begin(), AllOps().end()),
                         [](const auto& tested) { return std::string(*tested.param->name); });

TEST_P(KernelsAtEveryEdge, KeepToTheirMemory) {
  for (int64_t target : SimdTargets()) {
    const OnSimdTarget on(target);
    SCOPED_TRACE(SimdTargetName(target));
    for (DType dtype : {DType::kFloat32, DType::kFloat64}) {
      ExpectBlocksKeepToTheirMemory(*GetParam(), dtype, AllEdgeSizes());
      ExpectStepsKeepToTheirMemory(*GetParam(), dtype);
    }
  }
}

}  // namespace
}  // namespace weft
