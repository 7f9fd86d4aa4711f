// Names of options to types of the library.
#include "weft/examples/vae/network.h"

#include <stdexcept>

#include <fmt/format.h>

#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/printable.h"
#include "weft/examples/vae/text_model.h"

namespace weft {
namespace {

Initializer InitializerOf(const std::string& name) {
  if (name == "torch") return Initializer::kTorch;
  return name == "glorot" ? Initializer::kGlorot : Initializer::kTutorial;
}

}  // namespace

VaeConfig ConfigOf(const ModelOptions& model, const StepOptions& step, int64_t pixels) {
  return {.pixels = pixels,
          .hidden_units = model.hidden,
          .hidden_layers = static_cast<int>(model.layers),
          .latent_units = model.latent,
          .initializer = InitializerOf(model.init),
          .beta = step.beta};
}

Optimizer OptimizerOf(const StepOptions& step) {
  const double rate = step.learning_rate;
  if (step.optimizer == "adam") return Adam{.learning_rate = rate};
  if (step.optimizer == "adamw") return AdamW{.learning_rate = rate};
  if (step.optimizer == "sgd") return SGD{.learning_rate = rate};
  if (step.optimizer == "momentum") return Momentum{.learning_rate = rate};
  if (step.optimizer == "nesterov") return Nesterov{.learning_rate = rate};
  if (step.optimizer == "rmsprop") return RMSProp{.learning_rate = rate};
  if (step.optimizer == "adagrad") return AdaGrad{.learning_rate = rate};
  throw std::logic_error("an optimizer that the options know and the network does not: " + step.optimizer);
}

Model ModelOf(const ModelOptions& options, const StepOptions& step, int64_t rows, int64_t columns) {
  const bool is_text = !options.file.empty() || !options.text.empty();
  if (!is_text) {
    if (!options.set.empty()) {
      throw UsageError(fmt::format("contradiction: --set {}: got it alone, expected --model, whose parameters it sets",
                                   options.set.begin()->first));
    }
    if (rows == 0) return {.config = ConfigOf(options, step)};
    return {.config = ConfigOf(options, step, rows * columns), .rows = rows, .columns = columns};
  }
  Model model = {.rows = rows, .columns = columns, .text = options.text};
  model.title = options.file.empty() ? "text of the run" : Printable(options.file.native());
  if (model.text.empty()) model.text = ReadModelText(options.file);
  model.parameters = GivenParameters(options, step, model);
  MeasureTextModel(model);
  return model;
}

Autoencoder BuildAutoencoder(Graph& graph, const Model& model) {
  if (model.is_text()) return BuildTextModel(graph, model);
  const VariationalAutoencoder vae = BuildVariationalAutoencoder(graph, model.config);
  return {
      .x = vae.x,
      .encoder = {.mean = vae.encoder.mean,
                  .log_variance = vae.encoder.log_variance,
                  .epsilon = vae.encoder.epsilon,
                  .sample = vae.encoder.sample},
      .decoder = {.mean = vae.decoder.mean},
      .loss = {.reconstruction = vae.loss.reconstruction, .divergence = vae.loss.divergence, .total = vae.loss.total}};
}

TrainableModel BuildTrainable(Graph& graph, const Model& model, const StepOptions& step) {
  const Autoencoder vae = BuildAutoencoder(graph, model);
  MinimizeOptions options;
  if (step.clip_norm > 0) options.clip_global_norm = step.clip_norm;
  return {.vae = vae, .minimization = Minimize(vae.loss.total, OptimizerOf(step), options)};
}

std::vector<Node> Guards(const TrainableModel& model) { return {model.minimization.global_norm}; }

ElboNodes ElboNodesOf(const Autoencoder& vae) {
  return {.x = vae.x,
          .epsilon = vae.encoder.epsilon,
          .reconstruction = vae.loss.reconstruction,
          .divergence = vae.loss.divergence,
          .total = vae.loss.total};
}

std::string SizesText(const Model& model) {
  if (model.is_text()) return ParameterText(model.parameters);
  return fmt::format("latent {}, hidden {}, layers {}", model.config.latent_units, model.config.hidden_units,
                     model.config.hidden_layers);
}

double ModelBytes(const Model& model, Memory memory) {
  if (!model.is_text()) return ModelBytes(model.config, memory);
  Graph graph;
  BuildTextModel(graph, model);
  return ModelBytes(graph, memory);
}

void RequireMemory(const Model& model, Memory memory) {
  RequireBytes(ModelBytes(model, memory), fmt::format("model of {}", SizesText(model)));
}

}  // namespace weft
