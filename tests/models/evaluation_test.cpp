// Evaluation: means over a data set, and fixed noise.
#include "weft/models/training/evaluation.h"

#include <cmath>

#include <gtest/gtest.h>

#include "weft/tests/models/small_run.h"

namespace weft {
namespace {

TEST(Evaluation, ChangesNothing) {
  SmallRun run;
  const auto before = run.State();
  Evaluation evaluation(run.session, run.objective(), run.validation(), 3);
  const Means first = evaluation.Run(), second = evaluation.Run();
  ExpectSameMeans(first, second);
  EXPECT_EQ(run.State(), before);
  EXPECT_EQ(run.session.run_number(), 0u);
}

TEST(EvaluateElbo, AddsUp) {
  SmallRun run;
  const ElboFigures figures = EvaluateElbo(run.session, run.vae, Rows::OfBytes(run.pixels, kSamples), 5, 10);
  EXPECT_DOUBLE_EQ(figures.negative_elbo, figures.reconstruction + figures.divergence);
  EXPECT_DOUBLE_EQ(figures.bits_per_dim, figures.negative_elbo / 12 / std::log(2.0));
  EXPECT_GT(figures.reconstruction, 0);
  EXPECT_GT(figures.divergence, 0);
  const Tensor zeros(DType::kFloat32, {kSamples, 2});  // z is the mean: another reconstruction, the same divergence
  const Means means =
      Evaluation(run.session, run.objective(),
                 {{run.vae.x, Rows::OfBytes(run.pixels, kSamples)}, {run.vae.encoder.epsilon, Rows::Of(zeros)}}, 10)
          .Run();
  EXPECT_NE(means.watched[0], figures.reconstruction);
  EXPECT_DOUBLE_EQ(means.watched[1], figures.divergence);
}

TEST(NormalRows, GivesEachRowItsNumbersWhateverTheCount) {
  const Tensor few = NormalRows(3, 2, 1), many = NormalRows(1000, 2, 1);
  EXPECT_EQ(many.Rows(0, 3), few);
  EXPECT_FALSE(NormalRows(3, 2, 2) == few);
  EXPECT_EQ(NormalRows(3, 2, 1, DType::kFloat64).Cast(DType::kFloat32), few);
}

}  // namespace
}  // namespace weft
