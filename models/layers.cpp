// Layers: their variables, and the formulas over them.
#include "weft/models/layers.h"

#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "weft/graph/error.h"
#include "weft/graph/scope.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

[[noreturn]] void Fail(const Path& layer, std::string_view reason) {
  throw GraphError(fmt::format("layer '{}': {}", layer.str(), reason));
}

// ---- Initial values, each below the path of its variable -----------------------------------------------------------

Node Uniform(Graph& graph, const Shape& shape, DType dtype, double bound) {
  return 2 * bound * RandomUniform(graph, "Initial", shape, dtype) - bound;
}

Node InitialWeights(Graph& graph, const Shape& shape, DType dtype, Initializer initializer) {
  const Scope scope(graph, "W");
  const auto fan_in = static_cast<double>(shape[0].length()), fan_out = static_cast<double>(shape[1].length());
  switch (initializer) {
    case Initializer::kTutorial: return 0.02 * TruncatedNormal(graph, "Initial", shape, dtype);
    case Initializer::kTorch: return Uniform(graph, shape, dtype, 1 / std::sqrt(fan_in));
    case Initializer::kGlorot: return Uniform(graph, shape, dtype, std::sqrt(6 / (fan_in + fan_out)));
    case Initializer::kHe: break;
  }
  return std::sqrt(2 / fan_in) * RandomNormal(graph, "Initial", shape, dtype);
}

Node Filled(Graph& graph, std::string_view variable, double value, const Shape& shape, DType dtype) {
  const Scope scope(graph, variable);
  return Named("Initial", BroadcastTo(Constant(graph, value, dtype), shape));
}

Node InitialBias(Graph& graph, int64_t fan_in, int64_t units, DType dtype, Initializer initializer) {
  if (initializer != Initializer::kTorch) return Filled(graph, "b", 0, {units}, dtype);
  const Scope scope(graph, "b");
  return Uniform(graph, {units}, dtype, 1 / std::sqrt(static_cast<double>(fan_in)));
}

Node InitialGamma(Graph& graph, const Shape& shape, DType dtype, Initializer initializer) {
  if (initializer != Initializer::kTutorial) return Filled(graph, "gamma", 1, shape, dtype);
  const Scope scope(graph, "gamma");
  return 1 + 0.002 * RandomNormal(graph, "Initial", shape, dtype);
}

// ---- Layers -------------------------------------------------------------------------------------------------------

Node Flattened(Node x) {
  if (x.shape().rank() <= 2) return x;
  return Reshape(x, {x.shape()[0], ElementCount(std::span(x.shape().begin() + 1, x.shape().end()))});
}

Node FullyConnectedAt(const Path& path, Node x, int64_t units, const FullyConnectedOptions& options) {
  Graph& graph = x.graph();
  if (x.shape().rank() < 2) Fail(path, fmt::format("got {}, expected [N, in]", ToString(x.type())));
  if (units < 1) Fail(path, fmt::format("got {} units, expected at least 1", units));
  const Scope scope = Scope::Absolute(graph, path);
  x = Flattened(x);
  const int64_t fan_in = x.shape()[1].length();

  const Node w = Variable("W", InitialWeights(graph, {fan_in, units}, x.dtype(), options.initializer));
  Node y = MatMul(x, w);
  if (options.bias) y = y + Variable("b", InitialBias(graph, fan_in, units, x.dtype(), options.initializer));
  graph.Rename(y, path);
  return y;
}

// Σ(x − mean)² / (n − 1) from Σ(x − mean)² / n; of one sample: 0.
Node Unbiased(Node variance, Node n) { return variance * (n / Maximum(n - 1, Constant(n.graph(), 1, n.dtype()))); }

Node BatchNormalizationAt(const Path& path, Node x, const BatchNormalizationOptions& options) {
  Graph& graph = x.graph();
  if (x.shape().rank() < 2 || x.shape()[x.shape().rank() - 1].is_batch()) {
    Fail(path, fmt::format("got {}, expected [N, features]", ToString(x.type())));
  }
  const Scope scope = Scope::Absolute(graph, path);
  const Shape features = {x.shape()[x.shape().rank() - 1]};
  Axes samples(x.shape().rank() - 1);
  std::iota(samples.begin(), samples.end(), 0);

  const Node beta = Variable("beta", Filled(graph, "beta", 0, features, x.dtype()));
  const Node gamma = Variable("gamma", InitialGamma(graph, features, x.dtype(), options.initializer));
  const Node moving_mean =
      Variable("moving_mean", Filled(graph, "moving_mean", 0, features, x.dtype()), {.trainable = false});
  const Node moving_variance =
      Variable("moving_variance", Filled(graph, "moving_variance", 1, features, x.dtype()), {.trainable = false});

  // The variance in a second pass, over what the first has centered: E[x²] − E[x]² would cancel.
  const Node batch_mean = Named("BatchMean", ReduceMean(x, samples));
  const Node mean = Named("Mean", ByMode(batch_mean, moving_mean));
  const Node centered = Named("Centered", x - mean);
  const Node batch_variance = Named("BatchVariance", ReduceMean(Square(centered), samples));
  const Node variance = Named("Variance", ByMode(batch_variance, moving_variance));
  const Node scale = Named("Scale", gamma / Sqrt(variance + options.epsilon));
  const Node y = centered * scale + beta;

  const auto average = [&](std::string_view name, Node moving, Node batch) {
    graph.AddUpdate(moving, Named(name, options.decay * moving + (1 - options.decay) * batch));
  };
  average("NextMean", moving_mean, batch_mean);
  average("NextVariance", moving_variance,
          options.unbiased_moving_variance ? Unbiased(batch_variance, ElementCount(x, samples)) : batch_variance);
  graph.Rename(y, path);
  return y;
}

}  // namespace

Node FullyConnected(Node x, int64_t units, const FullyConnectedOptions& options) {
  return FullyConnectedAt(x.graph().UniqueName("FullyConnected"), x, units, options);
}
Node FullyConnected(std::string_view name, Node x, int64_t units, const FullyConnectedOptions& options) {
  return FullyConnectedAt(x.graph().scope() / Path(name), x, units, options);
}

Node BatchNormalization(Node x, const BatchNormalizationOptions& options) {
  return BatchNormalizationAt(x.graph().UniqueName("BatchNormalization"), x, options);
}
Node BatchNormalization(std::string_view name, Node x, const BatchNormalizationOptions& options) {
  return BatchNormalizationAt(x.graph().scope() / Path(name), x, options);
}

}  // namespace weft
