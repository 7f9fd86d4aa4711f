// Paths that must be there, and what may have been meant by one that is not.
#pragma once

#include <filesystem>
#include <string>

namespace weft {

// " (did you mean 'runs/first'?)" for "rusn/first": the first component that is not there is compared with the names in
// its directory. "" if nothing is near, or if the path is there.
std::string PathHint(const std::filesystem::path& path);

// Throws std::system_error with the hint if there is nothing at `path`.
void RequireExists(const std::filesystem::path& path);

}  // namespace weft
