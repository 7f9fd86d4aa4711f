// vae interpolate: a strip of pictures on the straight line between two images.
#pragma once

#include "weft/examples/vae/options.h"
#include "weft/examples/vae/output.h"

namespace weft {

void InterpolateCommand(const InterpolateOptions& options, Output& output);

}  // namespace weft
