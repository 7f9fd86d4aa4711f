// A run that is killed or asked to end at any time goes on as if nothing had been. (Many more of both: tests/nightly.)
#include "weft/tests/examples/crashing_run.h"

namespace weft {
namespace {

TEST_F(CrashingRun, SurvivesKills) { KillAtRandomTimes(20); }

TEST_F(CrashingRun, EndsInOrder) { SignalAtRandomTimes(20); }

}  // namespace
}  // namespace weft
