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
  const TrainableModel model = BuildTrainable(graph, ModelOf({.hidden = 48}, step), step);
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

// Steps of 100 cycles a block, a block a task: a → b, c → d.
Program Diamond() {
  Program program;
  for (const uint32_t blocks : {1U, 4U, 2U, 1U}) {
    Step step;
    step.blocks = blocks;
    step.cycles = 100 * blocks;
    program.steps.push_back(step);
  }
  program.successor_list = {1, 2, 3, 3};
  program.first_successor = {0, 2, 3, 4, 4};
  program.sequential = false;
  return program;
}

TEST(Figures, SpeedupIsBoundByThePathAndByTheTasks) {
  Program program = Diamond();
  EXPECT_DOUBLE_EQ(SpeedupBound(program, 1), 1);
  EXPECT_DOUBLE_EQ(SpeedupBound(program, 2), 2);            // a, two turns of b, d: as long as half of the work
  EXPECT_DOUBLE_EQ(SpeedupBound(program, 3), 800.0 / 400);  // b still takes two turns
  EXPECT_DOUBLE_EQ(SpeedupBound(program, 64), 800.0 / 300);
  program.sequential = true;
  EXPECT_DOUBLE_EQ(SpeedupBound(program, 64), 1);
}

}  // namespace
}  // namespace weft
