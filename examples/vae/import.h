// vae import: the weights of another program, under our names, as a checkpoint.
#pragma once

#include "weft/examples/vae/options.h"
#include "weft/examples/vae/output.h"

namespace weft {

// Throws CheckpointError listing all that is missing, unexpected and mismatched at once; then nothing was written.
void ImportCommand(const ImportOptions& options, Output& output);

}  // namespace weft
