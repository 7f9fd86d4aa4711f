// The options of a training run, kept in its checkpoints, so that the run can go on with nothing but its directory.
#pragma once

#include <filesystem>

#include "weft/examples/vae/options.h"
#include "weft/graph/runtime/checkpoint.h"

namespace weft {

// "option--batch" = "128" and so on: what the numbers of the run depend on, and neither threads nor places.
Metadata DescribeOptions(const TrainOptions& options);

// The options of the run in `checkpoint`, with what is free to change taken from `given`: threads, when checkpoints are
// written and how many are kept, the form of the output, and more epochs than are `done`. Throws UsageError naming the
// first given option that contradicts the run, CheckpointError for metadata of something else.
TrainOptions ResumedOptions(const TrainOptions& given, const Metadata& checkpoint, int64_t done,
                            const std::filesystem::path& file);

}  // namespace weft
