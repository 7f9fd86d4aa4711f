// Evaluation: means over a data set, by the inference program.
//
//   Objective objective = {.loss = vae.loss.total, .watched = {{"kl", vae.loss.divergence}}};
//   Means means = Evaluation(session, objective, {{vae.x, test_images}}).Run();
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weft/graph/runtime/session.h"
#include "weft/models/training/fed_batch.h"
#include "weft/models/variational_autoencoder.h"

namespace weft {

// A node that is averaged over samples: one number a sample, [N], or a scalar, which then counts for the whole batch.
struct Watched {
  std::string name;
  Node node;
  bool in_inference = true;  // false: only training computes it, as a gradient's norm
};

struct Objective {
  Node loss;  // a scalar, the mean over the batch
  std::vector<Watched> watched = {};
};

// Means over samples, so a smaller last batch counts less.
struct Means {
  double loss = 0;
  std::vector<double> watched = {};  // in the order of the objective; NaN for what was not computed
};

// Layers use their moving averages. The batch size only changes the order of summing.
class Evaluation {
 public:
  // Of `options` guards, and a run that takes turns with it, whose memory it may use. Throws GraphError for a data set
  // that does not fit or a placeholder that nothing feeds.
  Evaluation(Session& session, const Objective& objective, const Dataset& dataset, int64_t batch = 1000,
             const PrepareOptions& options = {});
  // One pass over all samples. Throws NumericError if a guard is not finite.
  Means Run();

 private:
  std::vector<bool> watched_;  // which of the objective's are computed
  std::vector<int64_t> order_;
  FedBatches batches_;
};

// N(0, 1), f32 or f64 [count, width]: row i is a function of (seed, i) alone, whatever the count, so each sample meets
// the same noise in every epoch and for every batch size.
Tensor NormalRows(int64_t count, int64_t width, uint64_t seed, DType dtype = DType::kFloat32);

// In nats an image, with one ε an image; bits_per_dim = negative_elbo / (pixels · ln 2). Throws NumericError that names
// the first node that is not finite.
struct ElboFigures {
  double negative_elbo = 0;
  double reconstruction = 0;
  double divergence = 0;
  double bits_per_dim = 0;
};
// What they are figures of: any model with an evidence lower bound.
struct ElboNodes {
  Node x;                           // [N, pixels]
  Node epsilon;                     // [N, latent]: fed with N(0, 1)
  Node reconstruction, divergence;  // [N]
  Node total;                       // a scalar
};
ElboFigures EvaluateElbo(Session& session, const ElboNodes& nodes, const Rows& images, uint64_t seed = 1,
                         int64_t batch = 1000);
ElboFigures EvaluateElbo(Session& session, const VariationalAutoencoder& vae, const Rows& images, uint64_t seed = 1,
                         int64_t batch = 1000);

}  // namespace weft
