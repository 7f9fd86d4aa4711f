// vae plan: steps, memory and arithmetic of each program, before anything is trained; the time of each step where it
// is asked for.
#pragma once

#include "weft/examples/vae/options.h"
#include "weft/examples/vae/output.h"

namespace weft {

void PlanCommand(const PlanOptions& options, Output& output);

}  // namespace weft
