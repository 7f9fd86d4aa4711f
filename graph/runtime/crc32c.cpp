// CRC-32C by tables, eight bytes at a time.
#include "weft/graph/runtime/crc32c.h"

#include <array>

#include <fmt/format.h>

namespace weft {
namespace {

// The polynomial 0x1EDC6F41 with its bits reversed: the lowest bit of a byte is the first one.
constexpr uint32_t kPolynomial = 0x82F63B78;

// kTables[k][b]: the remainder of the byte b followed by k zero bytes.
constexpr std::array<std::array<uint32_t, 256>, 8> kTables = [] {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = remainder;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}();

}  // namespace

uint32_t Crc32c(std::span<const std::byte> bytes) {
  const auto at = [bytes](size_t i) { return std::to_integer<uint32_t>(bytes[i]); };
  uint32_t crc = 0xFFFFFFFF;
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    crc ^= at(i) | at(i + 1) << 8 | at(i + 2) << 16 | at(i + 3) << 24;
    crc = kTables[7][crc & 0xFF] ^ kTables[6][(crc >> 8) & 0xFF] ^ kTables[5][(crc >> 16) & 0xFF] ^
          kTables[4][crc >> 24] ^ kTables[3][at(i + 4)] ^ kTables[2][at(i + 5)] ^ kTables[1][at(i + 6)] ^
          kTables[0][at(i + 7)];
  }
  for (; i < bytes.size(); ++i) crc = (crc >> 8) ^ kTables[0][(crc ^ at(i)) & 0xFF];
  return ~crc;
}

std::string Crc32cText(std::span<const std::byte> bytes) { return fmt::format("{:08x}", Crc32c(bytes)); }

}  // namespace weft
