// Twenty thousand checkpoints in one run.
#include "weft/tests/models/checkpoint_soak.h"

namespace weft {
namespace {

TEST(CheckpointSoak, NothingGrows) { ExpectTheSameAfterSteps(10'000, 20'000); }

}  // namespace
}  // namespace weft
