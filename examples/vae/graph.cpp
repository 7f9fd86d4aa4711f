// Views of the graph.
#include "weft/examples/vae/graph.h"

#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/network.h"
#include "weft/examples/vae/printable.h"
#include "weft/graph/error.h"
#include "weft/graph/views/dot.h"
#include "weft/graph/views/text.h"

namespace weft {
namespace {

// Throws UsageError for a scope that no name lies in.
Path ScopeOf(Graph& graph, const std::string& text) {
  if (text.empty()) return {};
  std::set<std::string> scopes;
  for (uint32_t i = 0; i < graph.size(); ++i) {
    for (Path above = graph.name(NodeId{i}); !above.is_root(); above = above.parent()) scopes.insert(above.str());
  }
  if (scopes.contains(text)) return text;
  const std::vector<std::string_view> known(scopes.begin(), scopes.end());
  throw UsageError(fmt::format("value: --scope: got '{}', expected a scope of the graph{}", Printable(text),
                               DidYouMean(text.substr(0, 100), known)));
}

// The lines about nodes of the scope; the first line names the format.
std::string LinesWithin(const std::string& text, const Path& scope) {
  std::istringstream lines(text);
  std::string line, within;
  for (bool first = true; std::getline(lines, line); first = false) {
    std::istringstream words(line);
    std::string word, subject;
    words >> word >> subject;
    const std::string& name = subject == "=" ? word : subject;  // "NAME = …", "update NAME <- …"
    if (first || (!name.empty() && name.find('"') == std::string::npos && Path(name).IsWithin(scope)))
      within += line + "\n";
  }
  return within;
}

}  // namespace

void GraphCommand(const GraphOptions& options, Output& output) {
  if (options.format == "text" && options.depth) {
    throw UsageError("contradiction: --depth and --format text: got both, expected --depth with --format dot only");
  }
  Graph graph;
  const Model model = ModelOf(options.model, options.step);
  if (options.training) BuildTrainable(graph, model, options.step);
  else BuildAutoencoder(graph, model);
  const Path scope = ScopeOf(graph, options.scope);
  if (options.format == "text") return output.Text(scope.is_root() ? ToText(graph) : LinesWithin(ToText(graph), scope));
  DotOptions dot = {.scope = scope, .gradients = options.training};
  if (options.depth) dot.depth = static_cast<int>(*options.depth);
  else dot.gradient_depth = 1;  // Graphviz needs minutes for all of it
  output.Text(ToDot(graph, dot));
}

}  // namespace weft
