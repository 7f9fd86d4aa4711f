// Every beginning of a name is a scope.
#include "weft/examples/vae/scope_option.h"

#include <set>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/printable.h"

namespace weft {

Path ScopeAmong(std::span<const Path> names, const std::string& text) {
  if (text.empty()) return {};
  std::set<std::string> scopes;
  for (const Path& name : names) {
    for (Path above = name; !above.is_root() && scopes.insert(above.str()).second;) above = above.parent();
  }
  if (scopes.contains(text)) return text;
  const std::vector<std::string_view> known(scopes.begin(), scopes.end());
  throw UsageError(fmt::format("value: --scope: got '{}', expected the name of a scope or node{}", Printable(text),
                               DidYouMean(text.substr(0, 100), known)));
}

}  // namespace weft
