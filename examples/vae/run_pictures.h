// The seven pictures of a training run, and the numbers of its curves.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "weft/examples/vae/history.h"
#include "weft/examples/vae/idx.h"
#include "weft/examples/vae/model_file.h"

namespace weft {

// Draws vae_z.png, vae_std.png (around the first test image), samples.png, reconstructions.png, latent.png, latents.png
// and, where there are epochs, curves.png and history.csv into `directory`, and returns their paths. `before_each` may
// throw.
std::vector<std::filesystem::path> DrawRun(const std::filesystem::path& directory, const Model& model,
                                           VariableStore& variables, int threads, const LabelledImages& test,
                                           const std::vector<EpochFigures>& history,
                                           const std::function<void()>& before_each);

}  // namespace weft
