// The real program, killed ten thousand times.
#include "weft/tests/examples/crashing_run.h"

namespace weft {
namespace {

TEST_F(CrashingRun, SurvivesTenThousandKills) { KillAtRandomTimes(10'000); }

}  // namespace
}  // namespace weft
