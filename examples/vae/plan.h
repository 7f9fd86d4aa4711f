// vae plan: steps, memory and arithmetic of each program, before anything is trained.
#pragma once

#include "weft/examples/vae/options.h"
#include "weft/examples/vae/output.h"

namespace weft {

void PlanCommand(const PlanOptions& options, Output& output);

}  // namespace weft
