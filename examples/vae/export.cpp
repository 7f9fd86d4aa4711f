// Which nodes a part goes from and to; the rest is the exporters'.
#include "weft/examples/vae/export.h"

#include <fmt/format.h>

#include "weft/exporters/fold_normalization.h"
#include "weft/exporters/javascript.h"
#include "weft/exporters/onnx.h"
#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/model_file.h"
#include "weft/examples/vae/network.h"
#include "weft/examples/vae/printable.h"
#include "weft/examples/vae/report.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

// A text has no parts that could be built alone: its latent variable becomes an input, or the mean in its place.
InferencePart OpenTextPart(const std::string& part, const ModelFile& file, Graph& graph, VariableStore& variables) {
  const Autoencoder vae = BuildAutoencoder(graph, file.model);
  variables.Declare(graph);
  RestorePart(file, graph, "Decoder", variables);  // of a text: all
  if (part == "encoder") return InferencePartOf(graph, {vae.x}, {vae.encoder.mean, vae.encoder.log_variance});
  if (part == "decoder") return InferencePartOf(graph, {vae.encoder.sample}, {vae.decoder.mean});
  std::vector<NodeId> now(graph.size());
  for (uint32_t i = 0; i < now.size(); ++i) now[i] = NodeId{i};
  now[Index(vae.encoder.sample.id())] = vae.encoder.mean.id();
  for (const Edge& use : graph.uses(vae.encoder.sample.id())) graph.Redirect(use.target, now);
  return InferencePartOf(graph, {vae.x}, {vae.decoder.mean});
}

// Builds the part of that name below `graph` and takes its variables from the file.
InferencePart OpenPart(const std::string& part, const ModelFile& file, Graph& graph, VariableStore& variables) {
  if (file.model.is_text()) return OpenTextPart(part, file, graph, variables);
  const VaeConfig& config = file.model.config;
  if (part == "decoder") {
    const Node z = Placeholder(graph, "Z", {kBatch, config.latent_units});
    const Decoder decoder = BuildDecoder(z, config);
    variables.Declare(graph);
    RestorePart(file, graph, "Decoder", variables);
    return InferencePartOf(graph, {z}, {decoder.mean});
  }
  const Node x = Placeholder(graph, "InputData/X", {kBatch, config.pixels});
  const Encoder encoder = BuildEncoder(x, config);
  std::vector<NodeId> outputs = {encoder.mean.id(), encoder.log_variance.id()};
  // Nothing is drawn: a reconstruction goes through the mean of the posterior.
  if (part == "reconstruction") outputs = {BuildDecoder(encoder.mean, config).mean.id()};
  variables.Declare(graph);
  RestorePart(file, graph, "Encoder", variables);
  if (part == "reconstruction") RestorePart(file, graph, "Decoder", variables);
  const NodeId input = x.id();
  return InferencePartOf(graph, {&input, 1}, outputs);
}

std::string DescriptionOf(const ExportOptions& options, const ModelFile& file) {
  return fmt::format("{} of {}: {}, pictures of {} x {}", options.part, Printable(file.path.filename().native()),
                     SizesText(file.model), file.model.rows, file.model.columns);
}

}  // namespace

void ExportCommand(const ExportOptions& options, Output& output) {
  const ModelFile file = OpenModel(options.from);
  Graph graph;
  VariableStore variables;
  InferencePart part = OpenPart(options.part, file, graph, variables);
  if (options.batch_norm == "fold") part = FoldBatchNormalization(std::move(part), variables);
  RequireReplaceable(options.out, options.force);
  WriteWhole(options.out, options.format == "onnx"
                              ? ToOnnx(part, variables, {.description = DescriptionOf(options, file)})
                              : ToJavaScript(part, variables, options.part));
  output.Line(WroteText(options.out));
}

}  // namespace weft
