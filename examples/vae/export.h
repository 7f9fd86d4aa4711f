// vae export: a part of a trained model as a file that others run.
#pragma once

#include "weft/examples/vae/options.h"
#include "weft/examples/vae/output.h"

namespace weft {

void ExportCommand(const ExportOptions& options, Output& output);

}  // namespace weft
