// A model before it is built, and what the tool knows of it once it is.
#pragma once

#include <cstdint>
#include <string>

#include "weft/models/model_text.h"
#include "weft/models/variational_autoencoder.h"

namespace weft {

// The network of models/ in these sizes, or a text; and the pictures that it is for: pixels = rows · columns.
struct Model {
  VaeConfig config = {};  // of a text, pixels and latent_units alone mean something
  int64_t rows = 28;
  int64_t columns = 28;
  std::string text = {};  // as models/model_text.h reads it; empty: the network of models/
  ModelParameters parameters = {};
  std::string title = {};  // where the text is from, for messages

  bool is_text() const { return !text.empty(); }
};

// The nodes by which the tool trains and applies an autoencoder, whoever built it.
struct Autoencoder {
  struct EncoderNodes {
    Node mean, log_variance;  // of the latent variable, [N, latent_units]
    Node epsilon;             // N(0, 1), [N, latent_units]; may be fed
    Node sample;              // the latent variable, [N, latent_units]: what a decoder is fed with
  };
  struct DecoderNodes {
    Node mean;  // the picture, [N, pixels]
  };
  struct LossNodes {
    Node reconstruction, divergence;  // in nats, [N]
    Node total;                       // what is trained: a scalar
  };
  Node x;  // [N, pixels] in 0 … 1
  EncoderNodes encoder;
  DecoderNodes decoder;
  LossNodes loss;
};

}  // namespace weft
