// Which runs, and what is expected of each.
#include "weft/tests/support/training_matrix.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

constexpr std::array kThreads = {1, 2, 3, 4, 8, 16};
constexpr std::array kDisturbances = {Disturbance::kNone, Disturbance::kDelays, Disturbance::kPlaces,
                                      Disturbance::kBusyArena};

void ExpectThreads(const TrainingRun& run, const TrainingBits& bits) {
  const auto threads = static_cast<size_t>(run.threads);
  EXPECT_EQ(bits.threads_met, run.threads);  // they are there; how many of them find work is TBB's affair
  if (run.threads == 1 || run.disturbance == Disturbance::kBusyArena) return;
  // Where pieces wait, most threads get one; where they do not, two cores are done before sixteen threads are awake.
  EXPECT_GE(bits.threads_seen, run.disturbance == Disturbance::kDelays ? (threads + 1) / 2 : 2);
}

}  // namespace

std::vector<TrainingRun> EverydayRuns() {
  std::vector<TrainingRun> runs;
  for (size_t i = 0; i < 2 * kThreads.size(); ++i) {
    const size_t turn = i / kThreads.size();
    runs.push_back({.threads = kThreads[i % kThreads.size()],
                    .disturbance = kDisturbances[(i + turn) % kDisturbances.size()],
                    .seed = i});
  }
  return runs;
}

std::vector<TrainingRun> AllRuns() {
  std::vector<TrainingRun> runs;
  for (const int threads : kThreads) {
    for (const Disturbance disturbance : kDisturbances) {
      for (uint64_t repetition = 0; repetition < 5; ++repetition)
        runs.push_back({.threads = threads, .disturbance = disturbance, .seed = runs.size()});
    }
  }
  return runs;
}

void ExpectOneHash(const std::vector<TrainingRun>& runs) {
  std::map<std::string, int> hashes;
  ++hashes[RunTraining({.steps = runs[0].steps}).hash];
  const std::string expected = hashes.begin()->first;
  for (const TrainingRun& run : runs) {
    SCOPED_TRACE(fmt::format("{} threads, {}, seed {}", run.threads, Name(run.disturbance), run.seed));
    const TrainingBits bits = RunTraining(run);
    ++hashes[bits.hash];
    EXPECT_EQ(bits.hash, expected);
    ExpectThreads(run, bits);
  }
  fmt::print("{} runs, {} hash{}: {}\n", runs.size() + 1, hashes.size(), hashes.size() == 1 ? "" : "es", expected);
}

}  // namespace weft
