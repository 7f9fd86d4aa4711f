// The arithmetic of plans.
#include "weft/examples/vae/figures.h"

#include <gtest/gtest.h>

#include "weft/examples/vae/network.h"
#include "weft/graph/compile/compile.h"

namespace weft {
namespace {

TEST(Figures, StepsShareOutTheFlopsOfTheirProgram) {
  Graph graph;
  const StepOptions step = {.batch = 32};
  const TrainableModel model = BuildTrainable(graph, ConfigOf({.hidden = 48}, step), step);
  const auto program = Compile(
      graph, {.fetches = {model.vae.loss.total.id()}, .updates = true, .batch = step.batch, .mode = Mode::kTraining});
  const std::vector<StepFigures> steps = StepFiguresOf(*program);
  ASSERT_EQ(steps.size(), program->steps.size());
  double flops = 0;
  for (const StepFigures& each : steps) {
    flops += each.flops;
    EXPECT_GT(each.bytes, 0);
  }
  EXPECT_EQ(flops, FiguresOf(*program).flops);
  // A layer has three products: forward, weights, inputs. The gradient of the images is not wanted.
  const double inner = 48 * 48, outer = 784 * 48, latent = 2 * 48;
  EXPECT_EQ(flops, 2 * 32 * (3 * 4 * inner + 2 * outer + 3 * outer + 3 * 3 * latent));
}

}  // namespace
}  // namespace weft
