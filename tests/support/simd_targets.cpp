// Highway's dispatch, told what to choose.
#include "weft/tests/support/simd_targets.h"

#include "hwy/highway.h"

namespace weft {
namespace {

void Choose(int64_t targets) {
  hwy::SetSupportedTargetsForTest(targets);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace

std::vector<int64_t> SimdTargets() { return hwy::SupportedAndGeneratedTargets(); }

std::string SimdTargetName(int64_t target) { return hwy::TargetName(target); }

bool HasFusedMultiplyAdd(int64_t target) {
#if HWY_ARCH_X86
  return target == HWY_AVX2 || target == HWY_AVX3 || target == HWY_AVX3_DL;
#else
  return target != HWY_SCALAR && target != HWY_EMU128;
#endif
}

OnSimdTarget::OnSimdTarget(int64_t target) { Choose(target); }
OnSimdTarget::~OnSimdTarget() { Choose(0); }

}  // namespace weft
