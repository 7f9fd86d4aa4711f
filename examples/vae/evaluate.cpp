// Means over images, by the running statistics.
#include "weft/examples/vae/evaluate.h"

#include <fmt/format.h>

#include "weft/examples/vae/idx.h"
#include "weft/examples/vae/latent_axes.h"
#include "weft/examples/vae/machine.h"
#include "weft/examples/vae/model_file.h"
#include "weft/examples/vae/network.h"
#include "weft/examples/vae/report.h"
#include "weft/examples/vae/run_images.h"
#include "weft/models/training/evaluation.h"

namespace weft {
namespace {

// Each sample has an ε stream of its own, the first one the stream of training's reports.
ElboFigures MeanFigures(Session& session, const ElboNodes& nodes, const Rows& images, int64_t samples) {
  ElboFigures mean;
  const auto part = 1 / static_cast<double>(samples);
  for (int64_t sample = 0; sample < samples; ++sample) {
    const ElboFigures figures = EvaluateElbo(session, nodes, images, kEvaluationSeed + static_cast<uint64_t>(sample));
    mean.negative_elbo += part * figures.negative_elbo;
    mean.reconstruction += part * figures.reconstruction;
    mean.divergence += part * figures.divergence;
    mean.bits_per_dim += part * figures.bits_per_dim;
  }
  return mean;
}

std::string LatentAxesText(const std::vector<LatentAxis>& axes) {
  std::string text = fmt::format("{} of {} latent axes active\n", ActiveCount(axes), axes.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    text += fmt::format("axis {}: KL {:.4f} nats an image, variance of the mean {:.4f}{}\n", i, axes[i].divergence,
                        axes[i].variance, axes[i].is_active() ? "" : ", not active");
  }
  return text;
}

}  // namespace

void EvaluateCommand(const EvaluateOptions& options, Output& output) {
  const Machine machine(options.source.machine);
  const ModelFile file = OpenModel(options.source.from);
  const LabelledImages images = ReadImagesFor(file.model, options.source);

  Graph graph;
  const Autoencoder vae = BuildAutoencoder(graph, file.model);
  VariableStore variables(graph);
  RestorePart(file, graph, "Encoder", variables);
  RestorePart(file, graph, "Decoder", variables);
  Session session(graph, variables, {.threads = machine.threads()});

  const Rows rows = Rows::OfBytes(images.images.pixels, images.images.count);
  const ElboFigures figures = MeanFigures(session, ElboNodesOf(vae), rows, options.samples);
  LatentEncoder encoder(file.model, variables, {.threads = machine.threads()});
  const std::vector<LatentAxis> axes = LatentAxesOf(encoder.Of(images.images));
  if (options.json) {
    Json json = ElboJson(figures, images.images.count);
    json["active_axes"] = ActiveCount(axes);
    json["axes"] = LatentAxesJson(axes);
    return output.Line(LineOf(json));
  }
  output.Line(ElboText(fmt::format("{} images of {}", images.images.count, options.source.split), figures));
  output.Text(LatentAxesText(axes));
}

}  // namespace weft
