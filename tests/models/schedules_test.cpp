// Schedules: their formulas at the ends, in the middle, and composed.
#include "weft/models/training/schedules.h"

#include <cmath>

#include <gtest/gtest.h>

#include "weft/graph/error.h"

namespace weft {
namespace {

TEST(ConstantSchedule, IsConstant) {
  const Schedule schedule = ConstantSchedule(0.25);
  for (int64_t step : {0, 1, 1'000'000}) EXPECT_EQ(schedule(step), 0.25);
}

TEST(ExponentialSchedule, FallsByTheFactor) {
  const Schedule schedule = ExponentialSchedule({.begin = 2, .factor = 0.25, .steps = 100});
  EXPECT_DOUBLE_EQ(schedule(0), 2);
  EXPECT_DOUBLE_EQ(schedule(50), 1);
  EXPECT_DOUBLE_EQ(schedule(100), 0.5);
  EXPECT_DOUBLE_EQ(schedule(200), 0.125);
}

TEST(ExponentialSchedule, FallsInStairs) {
  const Schedule schedule = ExponentialSchedule({.begin = 2, .factor = 0.25, .steps = 100, .staircase = true});
  EXPECT_DOUBLE_EQ(schedule(0), 2);
  EXPECT_DOUBLE_EQ(schedule(99), 2);
  EXPECT_DOUBLE_EQ(schedule(100), 0.5);
  EXPECT_DOUBLE_EQ(schedule(199), 0.5);
}

TEST(CosineSchedule, GoesFromBeginToEnd) {
  const Schedule schedule = CosineSchedule({.begin = 1, .end = 0.2, .steps = 100});
  EXPECT_DOUBLE_EQ(schedule(0), 1);
  EXPECT_DOUBLE_EQ(schedule(50), 0.6);
  EXPECT_NEAR(schedule(25), 0.2 + 0.8 * (1 + std::sqrt(0.5)) / 2, 1e-15);
  EXPECT_EQ(schedule(100), 0.2);
  EXPECT_EQ(schedule(100'000), 0.2);
}

TEST(LinearWarmup, RisesToWhatFollows) {
  const Schedule schedule = LinearWarmup(CosineSchedule({.begin = 1, .end = 0, .steps = 100}), 4);
  EXPECT_DOUBLE_EQ(schedule(0), 0.25);
  EXPECT_DOUBLE_EQ(schedule(1), 0.5);
  EXPECT_DOUBLE_EQ(schedule(3), 1);
  EXPECT_DOUBLE_EQ(schedule(4), 1);
  EXPECT_DOUBLE_EQ(schedule(54), 0.5);
}

TEST(LinearWarmup, OfNoStepsIsWhatFollows) { EXPECT_EQ(LinearWarmup(ConstantSchedule(3), 0)(0), 3); }

TEST(Schedules, RefuseStepsBelowOne) {
  EXPECT_THROW(ExponentialSchedule({.steps = 0}), GraphError);
  EXPECT_THROW(CosineSchedule({.steps = 0}), GraphError);
  EXPECT_THROW(LinearWarmup(ConstantSchedule(1), -1), GraphError);
}

}  // namespace
}  // namespace weft
