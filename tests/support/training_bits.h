// A training run of a small autoencoder, as one hash of all its bits, and what may disturb it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "weft/graph/dtype.h"

namespace weft {

enum class Disturbance : uint8_t {
  kNone,
  kDelays,     // up to 200 µs before each task and piece
  kPlaces,     // every variable and the arena lie at random multiples of 64 bytes
  kBusyArena,  // the host works in the same arena
};
const char* Name(Disturbance disturbance);

struct TrainingRun {
  int threads = 1;
  Disturbance disturbance = Disturbance::kNone;
  uint64_t seed = 1;  // of the disturbance
  int steps = 200;
  DType dtype = DType::kFloat32;
};

struct TrainingBits {
  std::string hash;  // SHA-256 of the losses of all steps, and of all variables at the end with their paths
  int threads_met;   // how many threads the runner brought together for one step before the run
  size_t threads_seen;
};

// Throws std::runtime_error if the run is not worth several threads, or a guard stops it.
TrainingBits RunTraining(const TrainingRun& run);

}  // namespace weft
