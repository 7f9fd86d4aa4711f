// The safetensors file format, and nothing about models:
//
//   8 bytes  length of the header, little-endian
//   header   {"__metadata__": {"KEY": "TEXT"}, "NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …}
//   data     the tensors one behind the other: no holes, no overlaps, nothing behind the last one
//
// Files written here start their data at a multiple of 64 bytes and carry checksums in the metadata, which other
// readers pass over; tensors and files from elsewhere may have none. Reading is strict: a file that breaks a rule is
// refused as a whole. Tensors may be added and taken away by other tools that keep the metadata: who reads a tensor
// finds out that it is missing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weft/graph/path.h"
#include "weft/graph/runtime/file_system.h"
#include "weft/graph/tensor.h"

namespace weft {

struct SafetensorsLimits {
  static constexpr uint64_t kHeaderBytes = 100'000'000;               // the format's own, on request
  static constexpr uint64_t kDefaultHeaderBytes = uint64_t{1} << 24;  // what is read and written otherwise
  static constexpr size_t kTensors = 100'000;
  static constexpr size_t kMetadataBytes = size_t{1} << 20;  // keys and texts, without the checksums
};

struct SafetensorsEntry {
  Path name = {};
  DType dtype = DType::kFloat32;
  Shape shape = {};
  uint64_t begin = 0, end = 0;  // bytes of the file
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries = {};         // as they lie in the file
  std::map<std::string, std::string> metadata = {};   // without the checksums
  std::map<std::string, std::string> checksums = {};  // name → CRC-32C of its bytes, type and shape
  std::string fingerprint = {};  // CRC-32C of the metadata, so of the checksums; empty: the file has none
};

// Reads and checks the header, no data. Throws CheckpointError "WHAT: PATH: got X, expected Y".
SafetensorsHeader ReadSafetensorsHeader(const InputFile& file,
                                        uint64_t max_header_bytes = SafetensorsLimits::kDefaultHeaderBytes);

// Reads the bytes of one tensor, and nothing else. Throws CheckpointError for a wrong checksum, or a bool but 0 and 1.
Tensor ReadSafetensorsTensor(const InputFile& file, const SafetensorsHeader& header, const SafetensorsEntry& entry);

struct SafetensorsItem {
  SafetensorsItem(Path path, const Tensor* value)
      : name(std::move(path)), type(value->type()), bytes([value] { return value->bytes(); }) {}
  SafetensorsItem(Path path, TensorType t, std::function<std::span<const std::byte>()> b)
      : name(std::move(path)), type(std::move(t)), bytes(std::move(b)) {}

  Path name;
  TensorType type;
  std::function<std::span<const std::byte>()> bytes;  // valid until another item is asked for its own
};

// Writes the items durably (see WriteDurably), asking each for its bytes twice: checksums stand before the data. Throws
// GraphError for a name that is not UTF-8, given twice or reserved, ResourceError beyond the limits, std::system_error
// from the disk.
void WriteSafetensors(const FileSystem& system, const std::filesystem::path& file,
                      std::span<const SafetensorsItem> items, const std::map<std::string, std::string>& metadata,
                      uint64_t max_header_bytes = SafetensorsLimits::kDefaultHeaderBytes);

}  // namespace weft
