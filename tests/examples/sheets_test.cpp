// The order of a grid, and the steps along its axes.
#include "weft/examples/vae/sheets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "weft/examples/vae/failure.h"

namespace weft {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

TEST(NormalQuantile, IsTheInverseOfTheDistribution) {
  EXPECT_EQ(NormalQuantile(0.5), 0);
  EXPECT_NEAR(NormalQuantile(0.975), 1.959963984540054, 1e-14);
  EXPECT_NEAR(NormalQuantile(1e-10), -6.361340902404056, 1e-13);
  for (double p : {0.001, 0.2, 0.4}) EXPECT_NEAR(NormalQuantile(p), -NormalQuantile(1 - p), 1e-13);
}

TEST(GridSteps, OfQuantilesHaveEqualProbability) {
  EXPECT_THAT(GridSteps(3, "quantile"),
              ElementsAre(DoubleNear(-0.967421566101701, 1e-14), 0, DoubleNear(0.967421566101701, 1e-14)));
}

TEST(GridSteps, OfANumberAreEven) {
  EXPECT_THAT(GridSteps(5, "4"), ElementsAre(-4, -2, 0, 2, 4));
  EXPECT_THAT(GridSteps(2, "1000"), ElementsAre(-1000, 1000));
  EXPECT_THROW(GridSteps(2, "-1"), UsageError);
}

TEST(LatentGrid, HasAxis0ToTheRightAndAxis1Upwards) {
  const std::array<double, 2> steps = {-1, 1};
  const std::array<float, 3> mean = {10, 20, 30}, deviation = {1, 2, 4};
  const Tensor grid = LatentGrid(steps, mean, deviation);
  EXPECT_EQ(grid.shape(), Shape({4, 3}));
  EXPECT_THAT(grid.values<float>(), ElementsAre(9, 22, 30, 11, 22, 30,    // top row
                                                9, 18, 30, 11, 18, 30));  // bottom row
}

TEST(LatentGrid, OfOneAxisIsARow) {
  const std::array<double, 3> steps = {-1, 0, 1};
  const std::array<float, 1> mean = {5}, deviation = {2};
  EXPECT_THAT(LatentGrid(steps, mean, deviation).values<float>(), ElementsAre(3, 5, 7));
}

TEST(LatentLine, HasEvenStepsAndBothEndsToTheBit) {
  const std::array<float, 2> a = {0.1F, -3}, b = {0.7F, 1e-30F};
  const Tensor line = LatentLine(a, b, 4);
  EXPECT_EQ(line.shape(), Shape({4, 2}));
  EXPECT_THAT(line.values<float>(), ElementsAre(0.1F, -3, testing::FloatEq(0.3F), testing::FloatEq(-2),
                                                testing::FloatEq(0.5F), testing::FloatEq(-1), 0.7F, 1e-30F));
}

}  // namespace
}  // namespace weft
