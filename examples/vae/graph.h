// vae graph: the graph of the model on stdout.
#pragma once

#include "weft/examples/vae/options.h"
#include "weft/examples/vae/output.h"

namespace weft {

void GraphCommand(const GraphOptions& options, Output& output);

}  // namespace weft
