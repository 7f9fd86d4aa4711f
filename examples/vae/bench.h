// vae bench: median times of a training step and of inference on random images.
#pragma once

#include <cstdint>
#include <vector>

#include "weft/examples/vae/options.h"
#include "weft/examples/vae/output.h"

namespace weft {

// Like digits: four fifths of the pixels are 0, the others uniform in 0 … 1.
std::vector<float> RandomImages(int64_t count, int64_t pixels);

void BenchCommand(const BenchOptions& options, Output& output);

}  // namespace weft
