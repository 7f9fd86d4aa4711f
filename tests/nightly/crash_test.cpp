// The real program, killed a thousand times.
#include "weft/tests/examples/crashing_run.h"

namespace weft {
namespace {

TEST_F(CrashingRun, SurvivesAThousandKills) { KillAtRandomTimes(1000); }

TEST_F(CrashingRun, EndsInOrderTwoHundredTimes) { SignalAtRandomTimes(200); }

}  // namespace
}  // namespace weft
