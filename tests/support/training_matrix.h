// The runs of training whose bits must be one set: threads × disturbances × repetitions.
#pragma once

#include <vector>

#include "weft/tests/support/training_bits.h"

namespace weft {

std::vector<TrainingRun> EverydayRuns();  // 12: each number of threads twice, each disturbance three times
std::vector<TrainingRun> AllRuns();       // 120: 6 numbers of threads × 4 disturbances × 5

// Fails the current test where a hash is not that of a run on one thread that nothing disturbs, and where fewer threads
// were brought together than the run has. All have the same number of steps. Prints how many hashes there were.
void ExpectOneHash(const std::vector<TrainingRun>& runs);

}  // namespace weft
