// The two halves of a model at work, each with a graph of its own over a common store.
//
//   VariableStore variables;
//   PictureDecoder decoder(model, variables, {.threads = 2});
//   RestorePart(file, decoder.graph(), "Decoder", variables);
//   Tensor pictures = decoder.Pictures(z);
#pragma once

#include "weft/examples/vae/idx.h"
#include "weft/examples/vae/machine.h"
#include "weft/examples/vae/model.h"
#include "weft/examples/vae/model_file.h"
#include "weft/examples/vae/options.h"
#include "weft/graph/runtime/session.h"

namespace weft {

// The images `begin` … `begin + count` as f32[count, pixels] in 0 … 1.
Tensor ImageTensor(const Images& images, int64_t begin, int64_t count);

// Normal distributions over the latent variable, one an image.
struct Posterior {
  Tensor mean;          // f32[n, latent]
  Tensor log_variance;  // f32[n, latent]
};

class LatentEncoder {
 public:
  LatentEncoder(const Model& model, VariableStore& store, const SessionOptions& options);
  Graph& graph() { return graph_; }
  // Of all images, by the moving averages.
  Posterior Of(const Images& images);
  Posterior Of(const Images& images, int64_t begin, int64_t count);

 private:
  Graph graph_;
  Autoencoder vae_;
  Session session_;
};

class PictureDecoder {
 public:
  PictureDecoder(const Model& model, VariableStore& store, const SessionOptions& options);
  Graph& graph() { return graph_; }
  // f32[n, latent] → f32[n, pixels] in 0 … 1
  Tensor Pictures(const Tensor& z) { return session_.Run({{vae_.encoder.sample, z}}, vae_.decoder.mean); }
  // The nodes of both, in graph().
  Node z() const { return vae_.encoder.sample; }
  Node picture() const { return vae_.decoder.mean; }

 private:
  Graph graph_;
  Autoencoder vae_;
  Session session_;
};

// What commands begin with that encode and decode images: a checkpoint and images read, both halves restored. Throws
// what OpenModel, ReadImagesFor and RestorePart throw.
struct Application {
  explicit Application(const SourceOptions& source);

  Machine machine;
  ModelFile file;
  LabelledImages images;
  VariableStore variables;
  LatentEncoder encoder;
  PictureDecoder decoder;
};

}  // namespace weft
