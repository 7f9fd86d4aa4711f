// Two passes, so that the variance of a mean that hardly moves does not cancel.
#include "weft/examples/vae/latent_axes.h"

#include <algorithm>
#include <cmath>

namespace weft {

double DivergenceOf(float mean, float log_variance) {
  const double mu = mean, log_square = log_variance;
  return (mu * mu + std::expm1(log_square) - log_square) / 2;
}

std::vector<LatentAxis> LatentAxesOf(const Posterior& posterior) {
  const auto latent = static_cast<size_t>(posterior.mean.shape()[1].length());
  const std::span<const float> mean = posterior.mean.values<float>(),
                               log_variance = posterior.log_variance.values<float>();
  std::vector<LatentAxis> axes(latent);
  if (mean.empty()) return axes;
  const double part = 1 / static_cast<double>(mean.size() / latent);
  std::vector<double> middle(latent, 0);
  for (size_t i = 0; i < mean.size(); ++i) {
    middle[i % latent] += part * mean[i];
    axes[i % latent].divergence += part * DivergenceOf(mean[i], log_variance[i]);
  }
  for (size_t i = 0; i < mean.size(); ++i) {
    const double off = mean[i] - middle[i % latent];
    axes[i % latent].variance += part * off * off;
  }
  return axes;
}

size_t ActiveCount(const std::vector<LatentAxis>& axes) {
  return static_cast<size_t>(std::ranges::count_if(axes, &LatentAxis::is_active));
}

}  // namespace weft
