// vae diff: two checkpoints, or two graphs, compared by name.
#pragma once

#include "weft/examples/vae/options.h"
#include "weft/examples/vae/output.h"

namespace weft {

// True if nothing differs within the scope: not a name, a type, a bit of a value, or the metadata, which are compared
// where no scope is asked for.
bool DiffCommand(const DiffOptions& options, Output& output);

}  // namespace weft
