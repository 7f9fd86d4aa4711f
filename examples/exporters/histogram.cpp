// Limits ±10⁻¹²·1.1ᵏ below 10²⁰, 0, and the largest numbers on both sides.
#include "weft/exporters/histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace weft {
namespace {

const std::vector<double>& Limits() {
  static const std::vector<double> limits = [] {
    std::vector<double> positive;
    for (double limit = 1e-12; limit < 1e20; limit *= 1.1) positive.push_back(limit);
    positive.push_back(std::numeric_limits<double>::max());
    std::vector<double> all;
    for (size_t i = positive.size(); i-- > 0;) all.push_back(-positive[i]);
    all.push_back(0);
    all.insert(all.end(), positive.begin(), positive.end());
    return all;
  }();
  return limits;
}

}  // namespace

template <class T>
Histogram Histogram::From(std::span<const T> values) {
  const std::vector<double>& limits = Limits();
  std::vector<int64_t> counts(limits.size());
  Histogram histogram;
  for (const T each : values) {
    if (!std::isfinite(each)) continue;
    const auto value = static_cast<double>(each);
    // The largest number has no limit above it.
    const auto bucket = std::ranges::upper_bound(limits, value) - limits.begin();
    ++counts[std::min(static_cast<size_t>(bucket), counts.size() - 1)];
    histogram.min_ = histogram.count_ == 0 ? value : std::min(histogram.min_, value);
    histogram.max_ = histogram.count_ == 0 ? value : std::max(histogram.max_, value);
    histogram.sum_ += value;
    histogram.squares_ += value * value;
    ++histogram.count_;
  }
  const size_t last = static_cast<size_t>(
      std::ranges::find_if(counts.rbegin(), counts.rend(), [](int64_t count) { return count > 0; }).base() -
      counts.begin());  // behind it nothing is counted
  for (size_t i = 0; i < last; ++i) {
    if (counts[i] == 0 && i + 1 < last && counts[i + 1] == 0) continue;
    histogram.limits_.push_back(limits[i]);
    histogram.counts_.push_back(static_cast<double>(counts[i]));
  }
  return histogram;
}

Histogram Histogram::Of(std::span<const float> values) { return From(values); }
Histogram Histogram::Of(std::span<const double> values) { return From(values); }

}  // namespace weft
