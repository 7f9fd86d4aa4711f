// Images and labels in the idx format of the MNIST files, raw or gzip.
//
//   LabelledImages train = ReadIdxSplit("examples/data/mnist", "train");   // 60 000 × 28 × 28
//   for (const std::string& note : train.notes) …;                         // worth saying, nothing wrong
//
// idx: two zero bytes, the element type (8: unsigned byte), the number of dimensions, each dimension as a big-endian
// u32, then the elements, last dimension fastest. Everything is refused that is not exactly this, by a DataError.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "weft/examples/vae/byte_stream.h"

namespace weft {

struct Images {
  std::int64_t count = 0;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<std::uint8_t> pixels = {};  ///< [count, rows, columns], 0 … 255
};

struct LabelledImages {
  Images images = {};
  std::vector<std::uint8_t> labels = {};  ///< [count], each 0 … 9
  std::vector<std::string> notes = {};    ///< sentences for the user, as "FILE: gzip name, plain content"
};

/// Reads the images (u8[count, rows, columns], none of them zero) of one file. Throws DataError.
Images ReadIdxImages(const std::filesystem::path& path);

/// Reads the labels (u8[count], each 0 … 9, at least one) of one file. Throws DataError.
std::vector<std::uint8_t> ReadIdxLabels(const std::filesystem::path& path);

/// Reads `split`, "train" or "test", under the names of MNIST: train-images-idx3-ubyte and so on, t10k-… for the test,
/// each as it stands or with .gz behind. Throws DataError, also where images and labels differ in number.
LabelledImages ReadIdxSplit(const std::filesystem::path& directory, std::string_view split);

/// Throws DataError unless the images have the size that the input node of a model expects.
void RequireImageSize(const Images& images, const std::filesystem::path& where, std::int64_t rows, std::int64_t columns,
                      std::string_view node);

}  // namespace weft
