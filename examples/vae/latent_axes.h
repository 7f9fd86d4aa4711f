// What each axis of the latent variable carries of a set of images: many axes of a large model carry nothing.
#pragma once

#include <cstddef>
#include <vector>

#include "weft/examples/vae/parts.h"

namespace weft {

struct LatentAxis {
  double divergence = 0;  // KL of its part of the posterior to its part of the prior, in nats an image
  double variance = 0;    // over the images, of the posterior mean

  // As Burda, Grosse and Salakhutdinov (2016) count: images move the mean of an active unit.
  bool is_active() const { return variance > 0.01; }
};

// KL(N(μ, σ²) ‖ N(0, 1)) in nats, of one axis of one image.
double DivergenceOf(float mean, float log_variance);

// One an axis; their divergences add up to the mean divergence of the images. Of no image: zeros.
std::vector<LatentAxis> LatentAxesOf(const Posterior& posterior);

size_t ActiveCount(const std::vector<LatentAxis>& axes);

}  // namespace weft
