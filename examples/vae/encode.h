// vae encode: latent means and log-variances of images as a table.
#pragma once

#include "weft/examples/vae/options.h"
#include "weft/examples/vae/output.h"

namespace weft {

void EncodeCommand(const EncodeOptions& options, Output& output);

}  // namespace weft
