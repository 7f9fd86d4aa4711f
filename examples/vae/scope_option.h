// --scope: the name of something that is there.
#pragma once

#include <span>
#include <string>

#include "weft/graph/path.h"

namespace weft {

// The scope or name `text`, "" for the root. Throws UsageError with the nearest spelling if none of `names` lies in it.
Path ScopeAmong(std::span<const Path> names, const std::string& text);

}  // namespace weft
