// Recognises files of other formats by their first bytes, so that a message can say what was given.
#pragma once

#include <string_view>

namespace weft {

// "a zip archive (…)", or "" for bytes that nothing is known about. `bytes`: the first 64, or all of a shorter file.
std::string_view ForeignFormat(std::string_view bytes);

}  // namespace weft
