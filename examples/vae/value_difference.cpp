// Bits first: NaN equals itself, and 0 is not −0.
#include "weft/examples/vae/value_difference.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace weft {

ValueDifference Difference(const Tensor& a, const Tensor& b) {
  ValueDifference difference = {.elements = a.size()};
  if (std::ranges::equal(a.bytes(), b.bytes())) return difference;
  const Tensor x = a.Cast(DType::kFloat64), y = b.Cast(DType::kFloat64);
  const size_t width = SizeOf(a.dtype());
  for (size_t i = 0; i < x.values<double>().size(); ++i) {
    if (std::memcmp(a.bytes().data() + i * width, b.bytes().data() + i * width, width) == 0) continue;
    ++difference.unequal;
    const double left = x.values<double>()[i], right = y.values<double>()[i];
    if (!std::isfinite(left) || !std::isfinite(right)) {
      ++difference.not_finite;
      continue;
    }
    const double distance = std::abs(left - right), size = std::max(std::abs(left), std::abs(right));
    difference.largest = std::max(difference.largest, distance);
    if (size > 0) difference.largest_relative = std::max(difference.largest_relative, distance / size);
  }
  return difference;
}

}  // namespace weft
