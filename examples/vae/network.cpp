// Names of options to types of the library.
#include "weft/examples/vae/network.h"

#include <stdexcept>

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

TrainableModel BuildTrainable(Graph& graph, const VaeConfig& config, const StepOptions& step) {
  const VariationalAutoencoder vae = BuildVariationalAutoencoder(graph, config);
  MinimizeOptions options;
  if (step.clip_norm > 0) options.clip_global_norm = step.clip_norm;
  return {.vae = vae, .minimization = Minimize(vae.loss.total, OptimizerOf(step), options)};
}

std::vector<Node> Guards(const TrainableModel& model) { return {model.minimization.global_norm}; }

}  // namespace weft
