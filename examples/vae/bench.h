// vae bench: median times of a training step and of inference on random images.
#pragma once

#include "weft/examples/vae/options.h"
#include "weft/examples/vae/output.h"

namespace weft {

void BenchCommand(const BenchOptions& options, Output& output);

}  // namespace weft
