// vae evaluate: the negative ELBO of images under a checkpoint.
#pragma once

#include "weft/examples/vae/options.h"
#include "weft/examples/vae/output.h"

namespace weft {

void EvaluateCommand(const EvaluateOptions& options, Output& output);

}  // namespace weft
