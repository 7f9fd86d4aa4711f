// Closed forms of moments and distribution functions.
#include "weft/tests/support/distributions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace weft {
namespace {

double StandardError(const std::vector<double>& samples) { return 1 / std::sqrt(static_cast<double>(samples.size())); }

// The largest distance between the samples' distribution and `cdf`, in units of 1/√n: above 2.23 in one of 10⁴ streams.
constexpr double kLargestDistance = 2.23;
double KolmogorovSmirnov(std::vector<double> samples, double (*cdf)(double)) {
  std::sort(samples.begin(), samples.end());
  const auto n = static_cast<double>(samples.size());
  double distance = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const double p = cdf(samples[i]);
    distance = std::max({distance, static_cast<double>(i + 1) / n - p, p - static_cast<double>(i) / n});
  }
  return distance * std::sqrt(n);
}

double NormalCdf(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }

}  // namespace

std::vector<double> SamplesOf(const Tensor& tensor) {
  const Tensor wide = tensor.Cast(DType::kFloat64);
  return {wide.values<double>().begin(), wide.values<double>().end()};
}

double MeanOf(const std::vector<double>& samples, double (*function)(double)) {
  double sum = 0;
  for (double sample : samples) sum += function(sample);
  return sum / static_cast<double>(samples.size());
}

void ExpectUniform(const std::vector<double>& samples) {
  const double error = 4 * StandardError(samples);
  EXPECT_TRUE(std::ranges::all_of(samples, [](double u) { return 0 <= u && u < 1; }));
  EXPECT_LT(KolmogorovSmirnov(samples, [](double u) { return u; }), kLargestDistance);
  EXPECT_NEAR(MeanOf(samples, [](double u) { return u; }), 0.5, error * std::sqrt(1.0 / 12));
  EXPECT_NEAR(MeanOf(samples, [](double u) { return u * u; }), 1.0 / 3, error * std::sqrt(4.0 / 45));
}

void ExpectNormal(const std::vector<double>& samples) {
  const double error = 4 * StandardError(samples);
  EXPECT_TRUE(std::ranges::all_of(samples, [](double z) { return std::isfinite(z); }));
  EXPECT_LT(KolmogorovSmirnov(samples, NormalCdf), kLargestDistance);
  EXPECT_NEAR(MeanOf(samples, [](double z) { return z; }), 0, error);
  EXPECT_NEAR(MeanOf(samples, [](double z) { return z * z; }), 1, error * std::sqrt(2.0));
  EXPECT_NEAR(MeanOf(samples, [](double z) { return z * z * z; }), 0, error * std::sqrt(15.0));
  EXPECT_NEAR(MeanOf(samples, [](double z) { return z * z * z * z; }), 3, error * std::sqrt(96.0));
  const double beyond_four = MeanOf(samples, [](double z) { return std::abs(z) > 4 ? 1.0 : 0.0; });
  EXPECT_NEAR(beyond_four, 6.334e-5, error * std::sqrt(6.334e-5));
}

void ExpectTruncatedNormal(const std::vector<double>& samples) {
  const double error = 4 * StandardError(samples);
  EXPECT_TRUE(std::ranges::all_of(samples, [](double z) { return std::abs(z) <= 2; }));
  const auto cdf = [](double z) { return (NormalCdf(z) - NormalCdf(-2)) / (NormalCdf(2) - NormalCdf(-2)); };
  EXPECT_LT(KolmogorovSmirnov(samples, cdf), kLargestDistance);
  EXPECT_NEAR(MeanOf(samples, [](double z) { return z; }), 0, error * 0.8796);
  EXPECT_NEAR(std::sqrt(MeanOf(samples, [](double z) { return z * z; })), 0.87962566, error);
}

}  // namespace weft
