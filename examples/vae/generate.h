// vae generate: pictures over a grid of the latent plane, by the decoder of a checkpoint.
#pragma once

#include "weft/examples/vae/options.h"
#include "weft/examples/vae/output.h"

namespace weft {

void GenerateCommand(const GenerateOptions& options, Output& output);

}  // namespace weft
