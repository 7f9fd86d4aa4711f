// How far the f32 kernels of elementwise ops of one operand are from their formulas, over every so many of all 2³²
// inputs.
#pragma once

#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "weft/graph/op.h"

namespace weft {

// An elementwise op of one operand under one choice of its attributes.
struct UnaryCase {
  const OpDef* op;
  Attributes attributes;
  double ulp;  // the op's own bound, in steps from the rounded formula
};

// All there are, as the samples of the ops choose attributes.
std::vector<UnaryCase> UnaryCases();

std::string Name(const UnaryCase& c);  // "LeakyRelu_slope_0_2": letters, digits and lines, as tests are named
inline void PrintTo(const UnaryCase& c, std::ostream* out) { *out << Name(c); }

// The formula, in f64.
void RunFormula(const UnaryCase& c, std::span<const float> x, std::span<double> y);
// The kernel, on the target that is chosen now; it reads and writes whole vectors of 64 bytes.
void RunKernel(const UnaryCase& c, std::span<const float> x, std::span<float> y);

// The nearest f32; infinite from half a place above the largest.
float RoundedToFloat(double exact);

// Steps between two numbers in their order, 0 for two NaN; infinite where only one is NaN or infinite, or the signs of
// zeros differ.
double Steps(float got, float expected);

// |got − exact| in units of the last place of an f32 as large as `exact`; the unit is 2⁻¹⁴⁹ or more.
double UlpFromExact(float got, double exact);

struct UlpReport {
  int64_t target = 0;
  uint64_t inputs = 0, unequal = 0;      // how many were looked at, and are not the rounded formula
  double most_steps = 0;                 // from the rounded formula
  float most_steps_at = 0;               // where
  double largest = 0.5, largest_at = 0;  // the largest distance from the exact value, if more than rounding must take
};

// One report a target. On all cores; the formula is computed once for all targets.
std::vector<UlpReport> SweepUlp(const UnaryCase& c, uint32_t stride, std::span<const int64_t> targets);

std::string ToString(const UlpReport& report);

}  // namespace weft
