// Text from outside made safe for a terminal and for one line of a message.
#pragma once

#include <string>
#include <string_view>

namespace weft {

/// `bytes` with control characters, backslashes and bytes that are not UTF-8 written as \xNN; of anything longer than
/// 200 bytes only the beginning and the end, joined by "…". Never longer than 803 bytes.
std::string Printable(std::string_view bytes);

}  // namespace weft
