// vae graph --format html: the graph, what each pass makes of it, and the plan, as one page for a browser.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "weft/examples/vae/profile.h"
#include "weft/graph/compile/compile.h"
#include "weft/graph/graph.h"

namespace weft {

// Everything that nobody reads, and all updates.
CompileOptions AllOf(const Graph& graph, int64_t batch);

// What each op computes, "Exp(x) = eˣ.", by its name: what its file says first.
std::map<std::string_view, std::string_view> OpFormulas();

struct GraphPageOptions {
  std::optional<Profile> profile = {};  // of the program that `request` asks for
  bool training = false;                // gradients and updates are shown at first, not only on demand
};

// Throws UsageError if the tool was built without Graphviz for browsers, and what Compile throws.
std::string GraphPage(const Graph& graph, const CompileOptions& request, const GraphPageOptions& options);

}  // namespace weft
