// Component by component.
#include "weft/examples/vae/existing.h"

#include <cerrno>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "weft/examples/vae/printable.h"
#include "weft/graph/path.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

bool IsThere(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

// The entry of `directory` that is spelt most like `name`, "" if none is near or the directory cannot be read.
std::string NearestEntry(const fs::path& directory, const std::string& name) {
  std::error_code error;
  std::vector<std::string> names;
  const fs::path readable = directory.empty() ? "." : directory;
  for (fs::directory_iterator at(readable, error), end; !error && at != end; at.increment(error))
    names.push_back(at->path().filename().string());
  const std::vector<std::string_view> known(names.begin(), names.end());
  return std::string(NearestSpelling(name.substr(0, 100), known));
}

}  // namespace

std::string PathHint(const fs::path& path) {
  fs::path meant;
  bool is_other = false;
  for (const fs::path& component : path) {
    if (component.empty() || IsThere(meant / component)) {
      meant /= component;
      continue;
    }
    const std::string nearest = NearestEntry(meant, component.string());
    if (nearest.empty()) break;
    meant /= nearest;
    is_other = true;
  }
  return is_other ? fmt::format(" (did you mean '{}'?)", Printable(meant.native())) : "";
}

void RequireExists(const fs::path& path) {
  if (IsThere(path)) return;
  throw std::system_error(ENOENT, std::generic_category(),
                          fmt::format("read: {}: cannot open it{}", Printable(path.native()), PathHint(path)));
}

}  // namespace weft
