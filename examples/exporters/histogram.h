// Histograms with the buckets of TensorBoard: how weights, gradients and activations are spread over the orders of
// magnitude.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace weft {

class Histogram {
 public:
  // Of these values, which it counts into TensorBoard's buckets.
  static Histogram Of(std::span<const float> values);
  // The same of f64.
  static Histogram Of(std::span<const double> values);

  // Of finite values; NaN and infinities are left out.
  int64_t count() const { return count_; }
  double min() const { return min_; }
  double max() const { return max_; }
  double sum() const { return sum_; }
  double sum_of_squares() const { return squares_; }
  // How many values lie in each bucket, from the limit of the one before up to, and without, its own. Empty ones beside
  // each other are one; the first is empty, so that where the second begins is known. None without values.
  const std::vector<double>& limits() const { return limits_; }
  const std::vector<double>& counts() const { return counts_; }

 private:
  template <class T>
  static Histogram From(std::span<const T> values);

  int64_t count_ = 0;
  double min_ = 0, max_ = 0, sum_ = 0, squares_ = 0;
  std::vector<double> limits_, counts_;
};

}  // namespace weft
