// "\x93NUMPY", version, length of the header, the header as a Python dictionary, the numbers.
#include "weft/examples/exporters/npy.h"

#include <bit>

#include <fmt/format.h>

namespace weft {

static_assert(std::endian::native == std::endian::little, "'<f4' are little-endian numbers");

std::string NpyText(std::span<const float> values, int64_t rows, int64_t columns) {
  std::string header = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  constexpr size_t kBefore = 10;  // magic 6, version 2, length 2
  // Spaces and a newline, so that the numbers begin at a multiple of 64 bytes.
  header.append(63 - (kBefore + header.size()) % 64, ' ').push_back('\n');
  std::string text = "\x93NUMPY\x01";
  text.push_back('\0');
  text.push_back(static_cast<char>(header.size() & 0xFF));
  text.push_back(static_cast<char>(header.size() >> 8));
  text += header;
  const auto bytes = std::as_bytes(values);
  text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text;
}

}  // namespace weft
