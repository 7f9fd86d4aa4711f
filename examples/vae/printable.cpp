// Escapes what a terminal would obey: C0 and C1 control characters, and bytes that form no character.
#include "weft/examples/vae/printable.h"

#include <cstddef>

namespace weft {
namespace {

// Two such texts, each byte escaped to four, and their sentence stay below a message of 2 KiB.
constexpr std::size_t kLimit = 200;

/// Length of the UTF-8 character at the front of `bytes`, or 0 where none starts or it is a control character.
std::size_t CharacterLength(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7F && lead != '\\' ? 1 : 0;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || length > bytes.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  const bool control = lead == 0xC2 && second < 0xA0;  // U+0080 … U+009F
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool beyond = (lead == 0xED && second >= 0xA0) || (lead == 0xF4 && second >= 0x90);  // surrogates, > U+10FFFF
  return control || overlong || beyond ? 0 : length;
}

void AppendEscaped(std::string& text, std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  while (!bytes.empty()) {
    const std::size_t length = CharacterLength(bytes);
    if (length == 0) {
      const auto byte = static_cast<unsigned char>(bytes.front());
      text += "\\x";
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
      bytes.remove_prefix(1);
    } else {
      text += bytes.substr(0, length);
      bytes.remove_prefix(length);
    }
  }
}

}  // namespace

std::string Printable(std::string_view bytes) {
  std::string text;
  if (bytes.size() <= kLimit) {
    AppendEscaped(text, bytes);
  } else {
    AppendEscaped(text, bytes.substr(0, kLimit / 2));
    text += "…";
    AppendEscaped(text, bytes.substr(bytes.size() - kLimit / 2));
  }
  return text;
}

}  // namespace weft
