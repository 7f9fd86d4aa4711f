// Schedules: a number for each step, for learning rates and weights of losses.
//
//   Schedule rate = LinearWarmup(CosineSchedule({.begin = 1e-3, .end = 1e-5, .steps = 43'000}), 500);
//   rate(0)   // of the first step
//
// Steps count from 0 and are the whole state, so training that goes on from a checkpoint meets the same numbers.
#pragma once

#include <cstdint>
#include <functional>

namespace weft {

using Schedule = std::function<double(int64_t step)>;

Schedule ConstantSchedule(double value);  // the same at every step

// begin · factor^(step / steps); as a staircase, the exponent is cut to a whole number.
struct ExponentialDecay {
  double begin = 0.001;
  double factor = 0.96;
  int64_t steps = 1000;
  bool staircase = false;
};
Schedule ExponentialSchedule(const ExponentialDecay& decay);

// end + (begin − end)·(1 + cos(π·step / steps)) / 2, and `end` from `steps` on.
struct CosineDecay {
  double begin = 0.001;
  double end = 0;
  int64_t steps = 1000;
};
Schedule CosineSchedule(const CosineDecay& decay);

// (step + 1)/steps of `then`(0) for the first `steps` steps, then `then`, which counts its steps from there.
Schedule LinearWarmup(Schedule then, int64_t steps);

// All throw GraphError for a number of steps below 1 (LinearWarmup: below 0).

}  // namespace weft
