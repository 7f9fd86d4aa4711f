// Distributions as losses need them: log-probabilities and divergences in nats, one number a sample, [N, k] → [N]: all
// are sums over the last axis, whose elements are independent.
#pragma once

#include "weft/graph/graph.h"

namespace weft {

// N(mean, diag(exp(log_variance))).
struct DiagonalNormal {
  Node mean;
  Node log_variance;
};

struct BernoulliOperands {
  Node logits;  // log(p / (1 − p))
  Node value;   // in [0, 1]
};
// log p(value) = Σ (value·log p + (1 − value)·log(1 − p)), finite for all finite logits. Throws GraphError if the
// logits are probabilities.
Node BernoulliLogProbability(const BernoulliOperands& operands);

// log p(value) = −½ Σ ((value − μ)²/σ² + log σ² + log 2π)
Node NormalLogProbability(const DiagonalNormal& p, Node value);

// KL(q ‖ N(0, 1)) = ½ Σ (μ² + expm1(log σ²) − log σ²)
Node KullbackLeiblerToStandardNormal(const DiagonalNormal& q);

// KL(q ‖ p) = ½ Σ ((μ_q − μ_p)²/σ_p² + expm1(d) − d), d = log σ_q² − log σ_p²
Node KullbackLeibler(const DiagonalNormal& q, const DiagonalNormal& p);

}  // namespace weft
