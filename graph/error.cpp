// How untrusted text enters a message.
#include "weft/graph/error.h"

#include <string_view>

#include <fmt/format.h>

namespace weft {
namespace {

// Bytes of the well-formed UTF-8 sequence at `at`, or 0 (Unicode 15, table 3-7, without the rarer restrictions on the
// second byte: such text is escaped by its readers, not by us).
size_t SequenceLength(std::string_view text, size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  const size_t length = byte < 0x80                   ? 1
                        : byte >= 0xC2 && byte < 0xE0 ? 2
                        : byte >= 0xE0 && byte < 0xF0 ? 3
                        : byte >= 0xF0 && byte < 0xF5 ? 4
                                                      : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return 0;
  }
  // C1 control characters (U+0080 … U+009F) steer terminals too.
  if (byte == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0) return 0;
  return length;
}

}  // namespace

std::string Escaped(std::string_view text, size_t limit) {
  std::string result;
  size_t at = 0;
  while (at < text.size() && result.size() < limit) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const size_t length = byte < 0x20 || byte == 0x7F ? 0 : SequenceLength(text, at);
    if (length == 0) {
      result += fmt::format("\\x{:02x}", byte);
      ++at;
    } else {
      result += text.substr(at, length);
      at += length;
    }
  }
  if (at < text.size()) result += "…";
  return result;
}

}  // namespace weft
