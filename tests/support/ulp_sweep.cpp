// Chunks of inputs: the formula on all cores, then one target after the other on all cores, as the choice of a target
// is the process's.
#include "weft/tests/support/ulp_sweep.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <cstring>
#include <limits>
#include <thread>

#include <fmt/format.h>

#include "weft/ops/all_ops.h"
#include "weft/tests/support/simd_targets.h"

namespace weft {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Inputs of a chunk: as f64, the formula's values are 32 MiB.
constexpr uint64_t kChunk = uint64_t{1} << 22;
// Inputs of a kernel call: in and out fill half an L1.
constexpr size_t kCall = 2048;

int64_t Ordinal(float value) {
  const auto bits = std::bit_cast<int32_t>(value);
  return bits >= 0 ? bits : -static_cast<int64_t>(bits & std::numeric_limits<int32_t>::max());
}

// action(part, begin, end): [0, count) in one part a core.
template <class Action>
void OnAllCores(size_t count, size_t parts, const Action& action) {
  std::vector<std::thread> threads;
  for (size_t part = 0; part < parts; ++part) {
    threads.emplace_back(
        [&action, part, begin = count * part / parts, end = count * (part + 1) / parts] { action(part, begin, end); });
  }
  for (std::thread& thread : threads) thread.join();
}

// Of a result that is not the rounded formula, bit by bit.
void Count(float x, float got, float expected, double exact, UlpReport& report) {
  const double steps = Steps(got, expected);
  if (steps == 0) return;  // two NaN
  ++report.unequal;
  if (steps > report.most_steps) report.most_steps = steps, report.most_steps_at = x;
  const double distance = std::isfinite(steps) ? UlpFromExact(got, exact) : 0;
  if (distance > report.largest) report.largest = distance, report.largest_at = static_cast<double>(x);
}

void Join(const UlpReport& part, UlpReport& whole) {
  whole.inputs += part.inputs;
  whole.unequal += part.unequal;
  if (part.most_steps > whole.most_steps) whole.most_steps = part.most_steps, whole.most_steps_at = part.most_steps_at;
  if (part.largest > whole.largest) whole.largest = part.largest, whole.largest_at = part.largest_at;
}

}  // namespace

std::vector<UnaryCase> UnaryCases() {
  std::vector<UnaryCase> cases;
  for (const OpDef* op : AllOps()) {
    if (!op->is_elementwise() || *op->arity != 1) continue;
    const SampleSet set = op->samples();
    for (const Sample& sample : set.samples) {
      const auto same = [&](const UnaryCase& c) { return c.op == op && c.attributes == sample.attributes; };
      if (std::ranges::none_of(cases, same)) cases.push_back({op, sample.attributes, set.ulp});
    }
  }
  return cases;
}

std::string Name(const UnaryCase& c) {
  std::string name(*c.op->name);
  for (const auto& [key, value] : c.attributes) name += "_" + key + "_" + ToString(value);
  std::ranges::replace_if(
      name, [](unsigned char letter) { return std::isalnum(letter) == 0; }, '_');
  return name;
}

void RunFormula(const UnaryCase& c, std::span<const float> x, std::span<double> y) {
  const TensorType type = {.dtype = DType::kFloat64, .shape = {static_cast<int64_t>(x.size())}};
  Tensor operand(type.dtype, type.shape);
  std::ranges::copy(x, operand.values<double>().begin());
  std::ranges::copy(EvaluateReference(*c.op, {&operand, 1}, c.attributes, type).values<double>(), y.begin());
}

void RunKernel(const UnaryCase& c, std::span<const float> x, std::span<float> y) {
  const BlockInput input = {.data = x.data(), .stride = 1, .row_stride = 0};
  const BlockOutput output = {.data = y.data(), .row_stride = 0};
  std::get<PerBlock>(*c.op->lower)
      .kernel({.dtype = DType::kFloat32,
               .rows = 1,
               .count = static_cast<uint32_t>(x.size()),
               .inputs = {&input, 1},
               .outputs = {&output, 1},
               .attributes = &c.attributes});
}

float RoundedToFloat(double exact) {
  constexpr double kBeyond = 0x1.ffffffp127;  // half a place above the largest; a cast from there on is undefined
  if (!(std::abs(exact) >= kBeyond)) return static_cast<float>(exact);
  return exact > 0 ? std::numeric_limits<float>::infinity() : -std::numeric_limits<float>::infinity();
}

double Steps(float got, float expected) {
  if (std::isnan(got) && std::isnan(expected)) return 0;
  if (std::isnan(got) || std::isnan(expected) || std::isinf(got) != std::isinf(expected)) return kInfinity;
  if (got == expected) return std::signbit(got) == std::signbit(expected) ? 0 : kInfinity;
  return static_cast<double>(std::abs(Ordinal(got) - Ordinal(expected)));
}

double UlpFromExact(float got, double exact) {
  // The place of an f32 of the size of `exact`, as a power of two put together from its bits: this is called often.
  constexpr int64_t kBias = 1023, kLeast = std::numeric_limits<float>::min_exponent - 1, kPlaces = 23;
  const int64_t exponent = (std::bit_cast<int64_t>(std::abs(exact)) >> 52) - kBias;
  const auto places = std::bit_cast<double>((kBias + kPlaces - std::max(exponent, kLeast)) << 52);
  return std::abs(static_cast<double>(got) - exact) * places;
}

std::vector<UlpReport> SweepUlp(const UnaryCase& c, uint32_t stride, std::span<const int64_t> targets) {
  const uint64_t inputs = ((uint64_t{1} << 32) + stride - 1) / stride;
  const size_t cores = std::max(1U, std::thread::hardware_concurrency());
  std::vector<UlpReport> reports;
  for (int64_t target : targets) reports.push_back({.target = target});
  std::vector<double> exact(std::min(kChunk, inputs));
  std::vector<float> expected(exact.size());
  for (uint64_t first = 0; first < inputs; first += kChunk) {
    const auto count = static_cast<size_t>(std::min(kChunk, inputs - first));
    // f(at, x): the inputs of a part, so many at a time.
    const auto for_inputs = [&](size_t begin, size_t end, const auto& f) {
      float x[kCall];
      for (size_t at = begin; at < end; at += kCall) {
        const size_t length = std::min(kCall, end - at);
        for (size_t i = 0; i < length; ++i)
          x[i] = std::bit_cast<float>(static_cast<uint32_t>((first + at + i) * stride));
        f(at, std::span<const float>(x, length));
      }
    };
    OnAllCores(count, cores, [&](size_t, size_t begin, size_t end) {
      for_inputs(begin, end, [&](size_t at, std::span<const float> x) {
        RunFormula(c, x, std::span(exact).subspan(at, x.size()));
        for (size_t i = at; i < at + x.size(); ++i) expected[i] = RoundedToFloat(exact[i]);
      });
    });
    for (UlpReport& report : reports) {
      const OnSimdTarget on(report.target);
      std::vector<UlpReport> parts(cores);
      OnAllCores(count, cores, [&](size_t part, size_t begin, size_t end) {
        float y[kCall];
        UlpReport own;
        for_inputs(begin, end, [&](size_t at, std::span<const float> x) {
          RunKernel(c, x, {y, x.size()});
          own.inputs += x.size();
          if (std::memcmp(y, &expected[at], x.size_bytes()) == 0) return;
          for (size_t i = 0; i < x.size(); ++i) {
            if (std::bit_cast<uint32_t>(y[i]) != std::bit_cast<uint32_t>(expected[at + i]))
              Count(x[i], y[i], expected[at + i], exact[at + i], own);
          }
        });
        parts[part] = own;
      });
      for (const UlpReport& part : parts) Join(part, report);
    }
  }
  return reports;
}

std::string ToString(const UlpReport& report) {
  return fmt::format(
      "{:6} {:>10} inputs, {:.3f} ulp from the exact value at {:a}, {} steps from the rounded one at "
      "{:a}, {:.3f} % not correctly rounded",
      SimdTargetName(report.target), report.inputs, report.largest, report.largest_at, report.most_steps,
      report.most_steps_at, 100 * static_cast<double>(report.unequal) / static_cast<double>(report.inputs));
}

}  // namespace weft
