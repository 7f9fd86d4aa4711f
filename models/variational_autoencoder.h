// The variational autoencoder of Kingma & Welling, as named nodes.
//
//   Graph graph;
//   VariationalAutoencoder vae = BuildVariationalAutoencoder(graph);      // InputData/X, Encoder/…, Decoder/…, Loss/…
//   Minimize(vae.loss.total, Adam{}, {.clip_global_norm = 5});
//
//   Graph generator;                                                      // only the part that it needs
//   Node z = Placeholder(generator, "Z", {kBatch, 2});
//   Node picture = BuildDecoder(z).mean;
//
// The names are the interface: checkpoints, fetches and pictures refer to them, and graphs that have a part in common
// share its variables through them.
#pragma once

#include <cstdint>

#include "weft/graph/graph.h"
#include "weft/models/layers.h"

namespace weft {

struct VaeConfig {
  int64_t pixels = 784;
  int64_t hidden_units = 512;
  int hidden_layers = 3;  // on each side
  int64_t latent_units = 2;
  Initializer initializer = Initializer::kTutorial;
  double beta = 1;  // of Loss/Beta where it is not fed
  DType dtype = DType::kFloat32;
};

// All [N, latent_units], but h [N, hidden_units].
struct Encoder {
  Node h;
  Node mean;
  Node log_variance;
  Node standard_deviation;
  Node epsilon;  // N(0, 1) of its own stream; feeding it fixes it, and zeros make z the mean
  Node sample;   // z
};

// All [N, pixels], but h [N, hidden_units].
struct Decoder {
  Node h;
  Node logits;
  Node mean;  // of the Bernoulli distributions: the picture
};

struct Loss {
  Node reconstruction;  // −log p(x|z) in nats, [N]
  Node divergence;      // KL(q(z|x) ‖ p(z)) in nats, [N]
  Node beta;   // a scalar to be fed: the weight of the divergence in training, as warm-up asks for; inference takes 1
  Node total;  // −ELBO in nats, the mean over the batch
};

struct VariationalAutoencoder {
  Node x;  // [N, pixels] in 0 … 1
  Encoder encoder;
  Decoder decoder;
  Loss loss;
};

// Each throws GraphError for sizes below 1 and for names that are taken. The parts take from the config what they need.
Encoder BuildEncoder(Node x, const VaeConfig& config = {});
Decoder BuildDecoder(Node z, const VaeConfig& config = {});
Loss BuildLoss(Node x, const Encoder& encoder, const Decoder& decoder, const VaeConfig& config = {});
// All of it. The collections layer_tensor/Encoder, …/Decoder and …/Loss hold z, the picture and the loss.
VariationalAutoencoder BuildVariationalAutoencoder(Graph& graph, const VaeConfig& config = {});

}  // namespace weft
