// Highway's dispatch, told what to choose.
#include "weft/tests/support/simd_targets.h"

#include "hwy/highway.h"
#include "weft/ops/numerics.h"

namespace weft {
namespace {

void Choose(int64_t targets) {
  hwy::SetSupportedTargetsForTest(targets);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace

std::vector<int64_t> SimdTargets() { return hwy::SupportedAndGeneratedTargets(); }

std::string SimdTargetName(int64_t target) { return hwy::TargetName(target); }

bool HasFusedMultiplyAdd(int64_t target) { return ClassOfTarget(target) == NumericsClass::kFma; }

OnSimdTarget::OnSimdTarget(int64_t target) { Choose(target); }
OnSimdTarget::~OnSimdTarget() { Choose(0); }

}  // namespace weft
