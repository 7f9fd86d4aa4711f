// What Highway would choose, and what it may not.
#include "weft/ops/numerics.h"

#include <fmt/format.h>

#include "hwy/highway.h"

namespace weft {
namespace {

#if HWY_ARCH_X86
constexpr int64_t kFmaTargets = HWY_AVX2 | HWY_AVX3 | HWY_AVX3_DL;
#else
constexpr int64_t kFmaTargets = ~int64_t{HWY_SCALAR | HWY_EMU128};
#endif

}  // namespace

std::string_view Name(NumericsClass numerics) { return numerics == NumericsClass::kFma ? "fma" : "no-fma"; }

NumericsClass ClassOfTarget(int64_t target) {
  return (target & kFmaTargets) != 0 ? NumericsClass::kFma : NumericsClass::kNoFma;
}

NumericsClass CurrentNumericsClass() { return ClassOfTarget(hwy::SupportedAndGeneratedTargets().front()); }

std::string NumericsText() { return fmt::format("{} {}", kNumericsVersion, Name(CurrentNumericsClass())); }

// By the list that tests use: Highway's SupportedTargets, unless it has such a list, makes the choice anew from all
// that the processor has, disabled or not, and whoever asks which targets there are would undo what was asked for here.
void UsePortableNumerics() {
  const int64_t portable = hwy::SupportedTargets() & ~kFmaTargets;
  hwy::SetSupportedTargetsForTest(portable);
  hwy::GetChosenTarget().Update(portable);
}

}  // namespace weft
