// The files of TensorBoard's embedding projector: points, what they are, and how they look.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "weft/examples/vae/idx.h"
#include "weft/graph/tensor.h"

namespace weft {

// Writes projector_config.pbtxt, tensor.tsv (a line a point), metadata.tsv (its label) and sprite.png (its image) into
// `directory`, and returns their paths. `points`: f32[n, axes], one for each image; those beyond what a picture of 8192
// pixels on each side holds are left out. `name`: of the tensor. Throws std::system_error.
std::vector<std::filesystem::path> WriteProjector(const std::filesystem::path& directory, std::string_view name,
                                                  const Tensor& points, const LabelledImages& images);

}  // namespace weft
