// vae lint: what is legal in the graph, but hardly meant.
#pragma once

#include "weft/examples/vae/options.h"
#include "weft/examples/vae/output.h"

namespace weft {

void LintCommand(const LintOptions& options, Output& output);

}  // namespace weft
