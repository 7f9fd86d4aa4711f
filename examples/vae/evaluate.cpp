// Means over images, by the running statistics.
#include "weft/examples/vae/evaluate.h"

#include <fmt/format.h>

#include "weft/examples/vae/idx.h"
#include "weft/examples/vae/machine.h"
#include "weft/examples/vae/model_file.h"
#include "weft/examples/vae/report.h"
#include "weft/examples/vae/run_images.h"
#include "weft/models/training/evaluation.h"

namespace weft {
namespace {

// Each sample has an ε stream of its own, the first one the stream of training's reports.
ElboFigures MeanFigures(Session& session, const VariationalAutoencoder& vae, const Rows& images, int64_t samples) {
  ElboFigures mean;
  const auto part = 1 / static_cast<double>(samples);
  for (int64_t sample = 0; sample < samples; ++sample) {
    const ElboFigures figures = EvaluateElbo(session, vae, images, kEvaluationSeed + static_cast<uint64_t>(sample));
    mean.negative_elbo += part * figures.negative_elbo;
    mean.reconstruction += part * figures.reconstruction;
    mean.divergence += part * figures.divergence;
    mean.bits_per_dim += part * figures.bits_per_dim;
  }
  return mean;
}

}  // namespace

void EvaluateCommand(const EvaluateOptions& options, Output& output) {
  const Machine machine(options.source.machine);
  const ModelFile file = OpenModel(options.source.from);
  const LabelledImages images = ReadImagesFor(file.model, options.source);

  Graph graph;
  const VariationalAutoencoder vae = BuildVariationalAutoencoder(graph, file.model.config);
  VariableStore variables(graph);
  RestorePart(file, graph, "Encoder", variables);
  RestorePart(file, graph, "Decoder", variables);
  Session session(graph, variables, {.threads = machine.threads()});

  const Rows rows = Rows::OfBytes(images.images.pixels, images.images.count);
  const ElboFigures figures = MeanFigures(session, vae, rows, options.samples);
  if (options.json) return output.Line(LineOf(ElboJson(figures, images.images.count)));
  output.Line(ElboText(fmt::format("{} images of {}", images.images.count, options.source.split), figures));
}

}  // namespace weft
