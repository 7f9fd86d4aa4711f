// Four letters for three bytes.
#include "weft/exporters/base64.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace weft {

std::string Base64(std::span<const std::byte> bytes) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - at);
    uint32_t word = 0;
    for (size_t i = 0; i < count; ++i) word |= std::to_integer<uint32_t>(bytes[at + i]) << (16 - 8 * i);
    for (size_t i = 0; i < 4; ++i) text += i <= count ? kLetters[word >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

}  // namespace weft
