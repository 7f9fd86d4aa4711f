// FitProgress: where a training run stands, as the metadata of its checkpoints.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "weft/graph/runtime/checkpoint.h"

namespace weft {

// What must be the same for a run to go on.
struct FitRun {
  uint64_t seed = 0;          // of the order of the samples
  uint64_t session_seed = 0;  // of random nodes; 0 if there is none
  int64_t batch = 0;
  bool shuffle = true;
  int64_t samples = 0;
  std::string data = {};                  // checksum of the data set
  std::string numerics = {};              // NumericsText()
  std::vector<std::string> watched = {};  // names
};

struct FitProgress {
  int64_t epoch = 0;              // complete ones
  int64_t step = 0;               // done
  int64_t position = 0;           // samples of the running epoch that are done
  uint64_t run_number = 0;        // of the session: what random nodes see next
  std::vector<double> sums = {};  // of the running epoch: the loss, then what is watched
};

Metadata ToMetadata(const FitProgress& progress, const FitRun& run);

// Throws CheckpointError for metadata of another run, and for metadata that is none of ours. If only data or numerics
// are others, `on_different` is told so instead, where there is one.
FitProgress ParseProgress(const Metadata& metadata, const FitRun& run,
                          const std::function<void(const std::string&)>& on_different = nullptr);

}  // namespace weft
