// Samples beside the distributions of the random ops: moments within four standard errors, and the test of Kolmogorov
// and Smirnov with p > 10⁻⁴. The numbers are functions of fixed seeds, so none of this can fail by chance.
#pragma once

#include <vector>

#include "weft/graph/tensor.h"

namespace weft {

// The samples, as f64.
std::vector<double> SamplesOf(const Tensor& tensor);

// Of function values.
double MeanOf(const std::vector<double>& samples, double (*function)(double));

// In [0, 1): mean, square, distribution.
void ExpectUniform(const std::vector<double>& samples);
// Finite; mean, variance, skew, kurtosis, distribution, and how many are beyond 4.
void ExpectNormal(const std::vector<double>& samples);
// Within ±2; mean, standard deviation, distribution.
void ExpectTruncatedNormal(const std::vector<double>& samples);

}  // namespace weft
