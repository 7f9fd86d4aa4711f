// vae train: trains on a directory of images, evaluates on its test images, draws, and lists what it wrote.
#pragma once

#include "weft/examples/vae/options.h"
#include "weft/examples/vae/output.h"

namespace weft {

void TrainCommand(const TrainOptions& options, Output& output);

}  // namespace weft
