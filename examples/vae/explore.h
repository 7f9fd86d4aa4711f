// vae explore: the latent space as a page for a browser, with the decoder in it.
#pragma once

#include "weft/examples/vae/options.h"
#include "weft/examples/vae/output.h"

namespace weft {

void ExploreCommand(const ExploreOptions& options, Output& output);

}  // namespace weft
