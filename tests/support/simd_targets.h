// Running a test on each SIMD target that this machine and this build have.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weft {

// Best target first. Under GCC on an AVX-512 machine: AVX3, AVX2, SSE4, SSSE3, SCALAR.
std::vector<int64_t> SimdTargets();

std::string SimdTargetName(int64_t target);

// Targets of one class give the same bits: those with a fused multiply-add, and those without.
bool HasFusedMultiplyAdd(int64_t target);

// All kernels run on `target` as long as the object lives; then on the best one again.
class OnSimdTarget {
 public:
  explicit OnSimdTarget(int64_t target);
  ~OnSimdTarget();
  OnSimdTarget(const OnSimdTarget&) = delete;
  OnSimdTarget& operator=(const OnSimdTarget&) = delete;
};

}  // namespace weft
