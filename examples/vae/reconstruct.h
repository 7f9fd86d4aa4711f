// vae reconstruct: images over their reconstructions.
#pragma once

#include "weft/examples/vae/options.h"
#include "weft/examples/vae/output.h"

namespace weft {

void ReconstructCommand(const ReconstructOptions& options, Output& output);

}  // namespace weft
