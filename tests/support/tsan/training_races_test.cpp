// Training on many threads, disturbed, for ThreadSanitizer to watch: see tests/release/checks.sh tsan.
#include <vector>

#include <gtest/gtest.h>

#include "weft/tests/support/training_matrix.h"

namespace weft {
namespace {

TEST(TrainingRaces, ThereAreNone) {
  std::vector<TrainingRun> runs = EverydayRuns();
  std::erase_if(runs, [](const TrainingRun& run) { return run.disturbance == Disturbance::kBusyArena; });  // of TBB
  for (TrainingRun& run : runs) run.steps = 5;
  ExpectOneHash(runs);
}

}  // namespace
}  // namespace weft
