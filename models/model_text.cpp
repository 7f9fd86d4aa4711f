// Text to tree to nodes.
#include "weft/models/model_text.h"

#include "weft/models/text/builder.h"

namespace weft {

ModelText ParseModel(Graph& graph, std::string_view text, const ModelParameters& parameters, std::string_view title) {
  const ModelSource source(text, title);
  return ModelBuilder(graph, source, parameters).Run(ParseModelSyntax(source));
}

ModelParameters ParametersOf(std::string_view text, std::string_view title) {
  Graph nothing;
  const ModelSource source(text, title);
  return ModelBuilder(nothing, source, {}).Parameters(ParseModelSyntax(source));
}

}  // namespace weft
