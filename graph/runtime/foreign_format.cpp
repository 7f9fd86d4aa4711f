// The table of first bytes.
#include "weft/graph/runtime/foreign_format.h"

#include <algorithm>
#include <string>

namespace weft {

std::string_view ForeignFormat(std::string_view bytes) {
  using namespace std::string_view_literals;
  struct Format {
    std::string_view magic, name;
  };
  static constexpr Format kFormats[] = {
      {"PK\x03\x04"sv, "a zip archive (PyTorch and NumPy write such)"},
      {"\x89HDF\r\n\x1a\n"sv, "an HDF5 file"},
      {"GGUF"sv, "a GGUF file"},
      {"\x93NUMPY"sv, "a NumPy array"},
      {"\x1f\x8b"sv, "a gzip file"},
      {"version https://git-lfs.github.com/"sv, "a Git LFS pointer: the file itself was not downloaded (git lfs pull)"},
      {"{"sv, "a JSON file"},
  };
  for (const Format& format : kFormats) {
    if (bytes.starts_with(format.magic)) return format.name;
  }
  // A pickle begins with its protocol: 0x80, then 2 … 5.
  if (bytes.size() > 1 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5) {
    return "a Python pickle (old PyTorch files are such)";
  }
  // Protocol buffers: field 1 (the version of the format, below 32), then field 2, 3 or 7 (producer, its version,
  // graph).
  if (bytes.size() > 2 && bytes[0] == 8 && bytes[1] > 0 && bytes[1] < 32 &&
      "\x12\x1a\x3a"sv.find(bytes[2]) != std::string_view::npos)
    return "an ONNX file";
  std::string start(bytes.substr(std::min(bytes.find_first_not_of(" \t\r\n"), bytes.size())));
  std::ranges::transform(start, start.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (start.starts_with("<!doctype html") || start.starts_with("<html")) return "an HTML page";
  return "";
}

}  // namespace weft
