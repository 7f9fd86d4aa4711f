// f32 kernels of one operand beside values of 50 digits, and over a sample of all inputs. All inputs: nightly and
// release tests.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "weft/tests/support/simd_targets.h"
#include "weft/tests/support/ulp_sweep.h"

namespace weft {
namespace {

// Every step of so many bit patterns, a prime: four million inputs, in every lane, with all last digits.
constexpr uint32_t kStride = 1009;

// Of an elementwise f32 result, in steps from the rounded value: what no op may exceed.
constexpr double kLargestBound = 4;

// ---- Values of 50 digits: golden/make_functions.py
// --------------------------------------------------------------------

struct Value {
  float nearest;
  double exact;  // to 1/500 of a unit in the last place of `nearest`
};

std::filesystem::path GoldenFile(const std::string& name) {
  return std::filesystem::path(WEFT_SOURCE_DIR) / "tests/ops/golden" / (name + ".bin");
}

std::vector<char> Contents(const std::string& name) {
  std::ifstream file(GoldenFile(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

float FloatAt(const std::vector<char>& bytes, size_t i) {
  float value;
  std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(i * sizeof value), sizeof value, reinterpret_cast<char*>(&value));
  return value;
}

std::vector<float> Inputs() {
  const std::vector<char> bytes = Contents("inputs");
  std::vector<float> inputs(bytes.size() / sizeof(float));
  for (size_t i = 0; i < inputs.size(); ++i) inputs[i] = FloatAt(bytes, i);
  return inputs;
}

std::vector<Value> Values(const std::string& name, size_t count) {
  const std::vector<char> bytes = Contents(name);
  EXPECT_EQ(bytes.size(), 5 * count) << name;
  std::vector<Value> values(count);
  for (size_t i = 0; i < count; ++i) {
    const float nearest = FloatAt(bytes, i);
    const double unit = static_cast<double>(std::nextafter(std::abs(nearest), HUGE_VALF)) - std::abs(nearest);
    const double rest = bytes[sizeof(float) * count + i] / 254.0;
    values[i] = {nearest, rest == 0 ? nearest : nearest + rest * unit};
  }
  return values;
}

std::vector<UnaryCase> CasesWithTable() {
  std::vector<UnaryCase> cases = UnaryCases();
  std::erase_if(cases, [](const UnaryCase& c) { return !std::filesystem::exists(GoldenFile(Name(c))); });
  return cases;
}

class FiftyDigits : public testing::TestWithParam<UnaryCase> {
 protected:
  const UnaryCase& c() const { return GetParam(); }
  // Where the function has no value at x, the table has that at |x|.
  std::vector<float> inputs() const {
    std::vector<float> inputs = Inputs();
    const std::vector<double> values = FormulaOf(inputs);
    for (size_t i = 0; i < inputs.size(); ++i) inputs[i] = std::isnan(values[i]) ? std::abs(inputs[i]) : inputs[i];
    return inputs;
  }
  std::vector<double> FormulaOf(const std::vector<float>& x) const {
    std::vector<double> values(x.size());
    RunFormula(c(), x, values);
    return values;
  }
};

INSTANTIATE_TEST_SUITE_P(Ops, FiftyDigits, testing::ValuesIn(CasesWithTable()),
                         [](const auto& tested) { return Name(tested.param); });

TEST(FiftyDigits, AreGivenForEachFunctionAtTenThousandPoints) {
  const std::vector<float> inputs = Inputs();
  EXPECT_GE(std::set<float>(inputs.begin(), inputs.end()).size(), 10'000u);
  EXPECT_EQ(inputs.size() % 16, 0u);  // kernels work in whole vectors
  EXPECT_GE(CasesWithTable().size(), 9u);
}

TEST_P(FiftyDigits, AreThoseOfTheFormula) {
  const std::vector<float> x = inputs();
  const std::vector<Value> values = Values(Name(c()), x.size());
  const std::vector<double> formula = FormulaOf(x);
  for (size_t i = 0; i < x.size(); ++i) {
    const bool overflows = std::isinf(values[i].nearest);
    const double unit = std::max(0x1p-149, std::abs(values[i].exact) * 0x1p-23);
    if (overflows) ASSERT_EQ(RoundedToFloat(formula[i]), values[i].nearest) << std::hexfloat << x[i];
    else ASSERT_LE(std::abs(formula[i] - values[i].exact), unit / 250) << std::hexfloat << x[i];
  }
}

TEST_P(FiftyDigits, AreMetOnEveryTarget) {
  const std::vector<float> x = inputs();
  const std::vector<Value> values = Values(Name(c()), x.size());
  for (int64_t target : SimdTargets()) {
    const OnSimdTarget on(target);
    std::vector<float> y(x.size());
    RunKernel(c(), x, y);
    for (size_t i = 0; i < x.size(); ++i) {
      ASSERT_LE(Steps(y[i], values[i].nearest), c().ulp) << SimdTargetName(target) << " at " << std::hexfloat << x[i]
                                                         << ": got " << y[i] << ", expected " << values[i].nearest;
      if (!std::isfinite(y[i])) continue;
      ASSERT_LE(UlpFromExact(y[i], values[i].exact), c().ulp + 0.5 + 1.0 / 250) << std::hexfloat << x[i];
    }
  }
}

// ---- A sample of all inputs
// ------------------------------------------------------------------------------------------

class UnaryKernel : public testing::TestWithParam<UnaryCase> {};

INSTANTIATE_TEST_SUITE_P(Ops, UnaryKernel, testing::ValuesIn(UnaryCases()),
                         [](const auto& tested) { return Name(tested.param); });

TEST_P(UnaryKernel, IsWithinItsBoundOnEveryTarget) {
  EXPECT_LE(GetParam().ulp, kLargestBound);
  for (const UlpReport& report : SweepUlp(GetParam(), kStride, SimdTargets())) {
    EXPECT_LE(report.most_steps, GetParam().ulp) << ToString(report);
  }
}

TEST(UlpSweep, FindsAKernelThatIsOff) {
  UnaryCase c = UnaryCases().front();
  for (const UnaryCase& other : UnaryCases()) {
    if (*other.op->name == "Softplus") c = other;
  }
  const int64_t best[] = {SimdTargets().front()};
  const double steps = SweepUlp(c, kStride, best)[0].most_steps;
  EXPECT_GE(steps, 1);  // none is correctly rounded throughout, and a sweep that sees no error would be blind
}

TEST(Ulp, CountsStepsAndDistances) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNaN = std::numeric_limits<float>::quiet_NaN(),
                  kLeast = std::numeric_limits<float>::denorm_min(), kMost = std::numeric_limits<float>::max();
  EXPECT_EQ(Steps(1, std::nextafter(1.0f, 2.0f)), 1);
  EXPECT_EQ(Steps(-kLeast, kLeast), 2);
  EXPECT_EQ(Steps(kNaN, -kNaN), 0);
  EXPECT_EQ(Steps(0.0f, -0.0f), HUGE_VAL);
  EXPECT_EQ(Steps(kMost, kInfinity), HUGE_VAL);
  EXPECT_EQ(Steps(kNaN, 1), HUGE_VAL);
  EXPECT_EQ(UlpFromExact(1, 1 + 0x1p-24), 0.5);
  EXPECT_EQ(UlpFromExact(1, 1 - 0x1p-25), 0.5);
  EXPECT_EQ(UlpFromExact(kLeast, 0), 1);
  EXPECT_EQ(UlpFromExact(kLeast, 0x1p-150), 0.5);
  EXPECT_EQ(RoundedToFloat(0x1.ffffffp127), kInfinity);
  EXPECT_EQ(RoundedToFloat(-0x1.fffffefp127), -kMost);
}

}  // namespace
}  // namespace weft
