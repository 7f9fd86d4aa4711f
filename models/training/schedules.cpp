// Schedules as functions of the step.
#include "weft/models/training/schedules.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "weft/graph/error.h"

namespace weft {
namespace {

void RequireSteps(std::string_view schedule, int64_t steps, int64_t least) {
  if (steps < least) throw GraphError(fmt::format("{}: got {} steps, expected at least {}", schedule, steps, least));
}

}  // namespace

Schedule ConstantSchedule(double value) {
  return [value](int64_t) { return value; };
}

Schedule ExponentialSchedule(const ExponentialDecay& decay) {
  RequireSteps("exponential schedule", decay.steps, 1);
  return [decay](int64_t step) {
    const double exponent = static_cast<double>(step) / static_cast<double>(decay.steps);
    return decay.begin * std::pow(decay.factor, decay.staircase ? std::floor(exponent) : exponent);
  };
}

Schedule CosineSchedule(const CosineDecay& decay) {
  RequireSteps("cosine schedule", decay.steps, 1);
  return [decay](int64_t step) {
    if (step >= decay.steps) return decay.end;
    const double part = static_cast<double>(step) / static_cast<double>(decay.steps);
    return decay.end + (decay.begin - decay.end) * (1 + std::cos(std::numbers::pi * part)) / 2;
  };
}

Schedule LinearWarmup(Schedule then, int64_t steps) {
  RequireSteps("warm-up", steps, 0);
  return [then = std::move(then), steps](int64_t step) {
    if (step >= steps) return then(step - steps);
    return then(0) * static_cast<double>(step + 1) / static_cast<double>(steps);
  };
}

}  // namespace weft
