// vae info: what a checkpoint holds, or which checkpoints a directory has.
#pragma once

#include "weft/examples/vae/options.h"
#include "weft/examples/vae/output.h"

namespace weft {

void InfoCommand(const InfoOptions& options, Output& output);

}  // namespace weft
