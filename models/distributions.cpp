// Log-probabilities and divergences.
#include "weft/models/distributions.h"

#include <cmath>
#include <numbers>

#include "weft/ops/operators.h"
#include "weft/ops/ops.h"

namespace weft {

Node BernoulliLogProbability(const BernoulliOperands& operands) {
  return -ReduceSum(SigmoidCrossEntropy({.logits = operands.logits, .target = operands.value}), kLastAxis);
}

Node NormalLogProbability(const DiagonalNormal& p, Node value) {
  const Node squares = Square(value - p.mean) * Exp(-p.log_variance);
  return -0.5 * ReduceSum(squares + (p.log_variance + std::log(2 * std::numbers::pi)), kLastAxis);
}

// ½ Σ (μ² + (σ² − 1) − log σ²): near σ = 1 the last two cancel, and expm1 keeps their digits.
Node KullbackLeiblerToStandardNormal(const DiagonalNormal& q) {
  return 0.5 * ReduceSum(Square(q.mean) + (Expm1(q.log_variance) - q.log_variance), kLastAxis);
}

Node KullbackLeibler(const DiagonalNormal& q, const DiagonalNormal& p) {
  const Node distance = Square(q.mean - p.mean) * Exp(-p.log_variance);
  const Node d = q.log_variance - p.log_variance;
  return 0.5 * ReduceSum(distance + (Expm1(d) - d), kLastAxis);
}

}  // namespace weft
