// Bytes as base64 (RFC 4648, with padding), as browsers read them.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace weft {

std::string Base64(std::span<const std::byte> bytes);

}  // namespace weft
