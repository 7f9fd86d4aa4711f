// All 120 runs of training over threads and disturbances, and sessions that run ten thousand times beside each other.
#include <gtest/gtest.h>

#include "weft/tests/support/concurrent_sessions.h"
#include "weft/tests/support/training_matrix.h"

namespace weft {
namespace {

TEST(TrainingBits, AreOneSetOver120Runs) { ExpectOneHash(AllRuns()); }

TEST(ConcurrentSessions, GiveTheBitsOfOneAloneTenThousandTimes) {
  ExpectSameBitsFromSessionsAtOnce({.sessions = 8, .runs_each = 10'000, .threads_each = 1});
  ExpectSameBitsFromSessionsAtOnce({.sessions = 8, .runs_each = 1'000, .threads_each = 4});
}

}  // namespace
}  // namespace weft
