// CRC-32C (Castagnoli), the checksum of checkpoints: finds every burst of up to 32 damaged bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weft {

uint32_t Crc32c(std::span<const std::byte> bytes);  // polynomial 0x1EDC6F41, as in iSCSI

// As eight lower-case hexadecimal digits.
std::string Crc32cText(std::span<const std::byte> bytes);
inline std::string Crc32cText(std::string_view text) { return Crc32cText(std::as_bytes(std::span(text))); }

}  // namespace weft
