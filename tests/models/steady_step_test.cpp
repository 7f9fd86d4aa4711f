// A training step: its memory is there before the first one, and a number that is not finite ends it before any update.
#include <algorithm>
#include <limits>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weft/graph/error.h"
#include "weft/tests/models/small_run.h"
#include "weft/tests/support/allocations.h"
#include "weft/tests/support/many_threads.h"
#include "weft/tests/support/thrown.h"
#include "weft/tests/support/wide_run.h"

namespace weft {
namespace {

TEST(TrainingStep, AllocatesNothingOnAnyNumberOfThreads) {
  for (const int threads : {1, 2, 5}) {
    ManyThreads many(threads);
    WideRun wide(many.runner());
    PreparedRun run = wide.Prepare();
    run.Run();  // variables are looked up once
    // TBB starts a thread, which allocates, when it first has work for it.
    ASSERT_EQ(many.CountMeeting(threads), threads);
    const size_t before = AllocationCount();
    for (int step = 0; step < 200; ++step) run.Run();
    EXPECT_EQ(AllocationCount(), before) << threads << " threads";
  }
}

TEST(TrainingStep, NamesTheFirstBadNodeOnAnyNumberOfThreadsBeforeAnyUpdate) {
  std::string first_sentence;
  for (const int threads : {1, 2, 5}) {
    SCOPED_TRACE(threads);
    ManyThreads many(threads);
    WideRun wide(many.runner());
    PreparedRun run = wide.Prepare();
    run.Run();
    std::map<std::string, Tensor> before;
    for (const Path& path : wide.store.Paths()) before.emplace(path.str(), wide.store.Get(path));
    // The square of 1e30 is infinite: the variance of the first batch normalisation is.
    run.Input<float>(wide.vae.x)[7] = 1e30F;
    const std::string sentence = Thrown<NumericError>([&] { run.Run(); });
    EXPECT_THAT(sentence, testing::MatchesRegex("node 'Encoder/.*' \\(.*\\): not finite; operand '.*no variable was "
                                                "changed"));
    if (first_sentence.empty()) first_sentence = sentence;
    EXPECT_EQ(sentence, first_sentence);
    for (const auto& [path, value] : before) EXPECT_EQ(wide.store.Get(path), value) << path;
    run.Input<float>(wide.vae.x)[7] = 0.25F;
    EXPECT_NO_THROW(run.Run());
    EXPECT_FALSE(wide.store.Get("Decoder/Logits/b") == before.at("Decoder/Logits/b"));
  }
}

// What the data set brings in is named with the step.
TEST(TrainingStep, NamesStepAndEpochOfABadNumberInTraining) {
  SmallRun run;
  Tensor rows(DType::kFloat32, {kSamples, kPixels});
  rows.values<float>()[5 * static_cast<size_t>(kPixels)] = std::numeric_limits<float>::quiet_NaN();
  FitOptions options = run.options();
  options.shuffle = false;
  const std::string sentence = Thrown<NumericError>([&] {
    Fit(run.session, run.objective(), {{run.vae.x, Rows::Of(rows)}}, options);
  });
  EXPECT_THAT(sentence, testing::StartsWith("step 2, epoch 1: node 'Encoder/"));
}

}  // namespace
}  // namespace weft
