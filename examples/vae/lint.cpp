// One finding a line.
#include "weft/examples/vae/lint.h"

#include <fmt/format.h>

#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/network.h"
#include "weft/graph/lint.h"

namespace weft {

void LintCommand(const LintOptions& options, Output& output) {
  Graph graph;
  const TrainableModel model = BuildTrainable(graph, ModelOf(options.model, options.step), options.step);
  const Node loss = model.vae.loss.total;
  const std::vector<Finding> findings = Lint(graph, {&loss, 1});
  for (const Finding& finding : findings) output.Line(fmt::format("{}: {}", finding.code, OneLine(finding.sentence)));
  output.Line(fmt::format("{} finding{}", findings.size(), findings.size() == 1 ? "" : "s"));
}

}  // namespace weft
