// Kingma & Welling, "Auto-Encoding Variational Bayes".
#include "weft/models/variational_autoencoder.h"

#include <fmt/format.h>

#include "weft/graph/error.h"
#include "weft/graph/scope.h"
#include "weft/models/distributions.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

void RequirePositive(std::string_view what, int64_t size) {
  if (size < 1) throw GraphError(fmt::format("variational autoencoder: {}: got {}, expected at least 1", what, size));
}

// Affine → batch normalisation → ReLU, some times; the last activation is the node H of its scope.
Node HiddenLayers(Node x, const VaeConfig& config) {
  RequirePositive("hidden layers", config.hidden_layers);
  for (int layer = 0; layer < config.hidden_layers; ++layer) {
    x = FullyConnected(x, config.hidden_units, {.initializer = config.initializer});
    x = Relu(BatchNormalization(x, {.initializer = config.initializer}));
  }
  return Named("H", x);
}

}  // namespace

Encoder BuildEncoder(Node x, const VaeConfig& config) {
  Graph& graph = x.graph();
  const Scope scope(graph, "Encoder");

  Node h = HiddenLayers(x, config);
  Node mean = FullyConnected("Mean", h, config.latent_units, {.initializer = config.initializer});
  Node log_variance = FullyConnected("LogVariance", h, config.latent_units, {.initializer = config.initializer});
  Node standard_deviation = Named("StandardDeviation", Exp(0.5 * log_variance));

  // z = μ + σ ⊙ ε: the randomness is an input, so gradients flow through μ and σ.
  Node epsilon = RandomNormalLike("Epsilon", mean);
  Node z = Named("SampleLatentVariable", mean + standard_deviation * epsilon);

  graph.AddToCollection("layer_tensor/Encoder", z);
  return {.h = h,
          .mean = mean,
          .log_variance = log_variance,
          .standard_deviation = standard_deviation,
          .epsilon = epsilon,
          .sample = z};
}

Decoder BuildDecoder(Node z, const VaeConfig& config) {
  Graph& graph = z.graph();
  const Scope scope(graph, "Decoder");

  Node h = HiddenLayers(z, config);
  Node logits = FullyConnected("Logits", h, config.pixels, {.initializer = config.initializer});
  graph.SetKind(logits, ValueKind::kLogits);
  Node mean = Named("Mean", Sigmoid(logits));

  graph.AddToCollection("layer_tensor/Decoder", mean);
  return {.h = h, .logits = logits, .mean = mean};
}

// −ELBO = E[−log p(x|z)] + KL(q(z|x) ‖ p(z)) per sample, averaged over the batch.
Loss BuildLoss(Node x, const Encoder& encoder, const Decoder& decoder, const VaeConfig& config) {
  Graph& graph = x.graph();
  const Scope scope(graph, "Loss");

  Node reconstruction =
      Named("Reconstruction", ReduceSum(SigmoidCrossEntropy({.logits = decoder.logits, .target = x}), kLastAxis));
  Node divergence = Named(
      "KullbackLeibler", KullbackLeiblerToStandardNormal({.mean = encoder.mean, .log_variance = encoder.log_variance}));

  Node beta = Placeholder(graph, "Beta", {}, {.dtype = x.dtype(), .default_value = config.beta});
  Node weight = Named("Weight", ByMode(beta, Constant(graph, 1, x.dtype())));
  Node total = Named("Total", ReduceMean(reconstruction + weight * divergence));

  graph.AddToCollection("layer_tensor/Loss", total);
  return {.reconstruction = reconstruction, .divergence = divergence, .beta = beta, .total = total};
}

VariationalAutoencoder BuildVariationalAutoencoder(Graph& graph, const VaeConfig& config) {
  RequirePositive("pixels", config.pixels);
  Node x = Placeholder(graph, "InputData/X", {kBatch, config.pixels}, {.dtype = config.dtype});
  Encoder encoder = BuildEncoder(x, config);
  Decoder decoder = BuildDecoder(encoder.sample, config);
  Loss loss = BuildLoss(x, encoder, decoder, config);
  return {.x = x, .encoder = encoder, .decoder = decoder, .loss = loss};
}

}  // namespace weft
