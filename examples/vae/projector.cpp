// Three tables and a sheet.
#include "weft/examples/vae/projector.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/parts.h"
#include "weft/examples/vae/pictures.h"

namespace weft {
namespace {

constexpr int64_t kLargestSide = 8192;  // of a picture that every browser draws

std::string ConfigText(std::string_view name, const Images& images) {
  std::string quoted;  // a string of protobuf's text form
  for (const char c : name) quoted += c == '"' || c == '\\' ? fmt::format("\\{}", c) : std::string(1, c);
  return fmt::format(
      "embeddings {{\n"
      "  tensor_name: \"{}\"\n"
      "  tensor_path: \"tensor.tsv\"\n"
      "  metadata_path: \"metadata.tsv\"\n"
      "  sprite {{\n"
      "    image_path: \"sprite.png\"\n"
      "    single_image_dim: {}\n"
      "    single_image_dim: {}\n"
      "  }}\n"
      "}}\n",
      quoted, images.columns, images.rows);
}

std::string SpritePng(const Images& images, int64_t count) {
  const auto side = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
  const Tensor shown = ImageTensor(images, 0, count);
  std::vector<float> pixels(static_cast<size_t>(side * side * images.rows * images.columns));
  std::ranges::copy(shown.values<float>(), pixels.begin());
  return SheetPng({.rows = side, .columns = side, .height = images.rows, .width = images.columns, .pixels = pixels});
}

}  // namespace

std::vector<std::filesystem::path> WriteProjector(const std::filesystem::path& directory, std::string_view name,
                                                  const Tensor& points, const LabelledImages& images) {
  const int64_t most = kLargestSide / std::max<int64_t>({images.images.rows, images.images.columns, 1});
  const int64_t count = std::min(images.images.count, std::max<int64_t>(most * most, 1));
  const auto axes = static_cast<size_t>(points.shape()[1].length());
  std::string tensor, metadata;
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    fmt::format_to(std::back_inserter(tensor), "{}\n", fmt::join(points.values<float>().subspan(i * axes, axes), "\t"));
    fmt::format_to(std::back_inserter(metadata), "{}\n", images.labels[i]);
  }
  std::vector<std::filesystem::path> files;
  const auto write = [&](const char* file, std::string_view content) {
    WriteWhole(files.emplace_back(directory / file), content);
  };
  write("tensor.tsv", tensor);
  write("metadata.tsv", metadata);
  write("sprite.png", SpritePng(images.images, count));
  write("projector_config.pbtxt", ConfigText(name, images.images));  // last: it names the others
  return files;
}

}  // namespace weft
