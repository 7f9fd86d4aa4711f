// Bytes as text, as browsers read them.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace weft {

// RFC 4648's base64, padded, on one line: four characters for three bytes.
std::string Base64(std::span<const std::byte> bytes);

}  // namespace weft
