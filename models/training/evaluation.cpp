// Means over a data set, and the figures of a variational autoencoder.
#include "weft/models/training/evaluation.h"

#include <limits>
#include <numbers>
#include <numeric>

#include "weft/ops/ops.h"

namespace weft {
namespace {

std::vector<bool> InInference(const Objective& objective) {
  std::vector<bool> watched;
  for (const Watched& each : objective.watched) watched.push_back(each.in_inference);
  return watched;
}

std::vector<Node> Fetches(const Objective& objective) {
  std::vector<Node> fetches = {objective.loss};
  for (const Watched& each : objective.watched) {
    if (each.in_inference) fetches.push_back(each.node);
  }
  return fetches;
}

}  // namespace

Evaluation::Evaluation(Session& session, const Objective& objective, const Dataset& dataset, int64_t batch,
                       const PrepareOptions& options)
    : watched_(InInference(objective)),
      order_(static_cast<size_t>(SampleCount(dataset))),
      batches_(session, Fetches(objective),
               {.guards = options.guards, .shares_memory_with = options.shares_memory_with}, dataset, batch) {
  std::iota(order_.begin(), order_.end(), 0);
}

Means Evaluation::Run() {
  const int64_t samples = batches_.sample_count();
  std::vector<double> sums(1 + watched_.size(), std::numeric_limits<double>::quiet_NaN());
  std::vector<size_t> computed = {0};
  for (size_t i = 0; i < watched_.size(); ++i) {
    if (watched_[i]) computed.push_back(1 + i);
  }
  for (size_t i : computed) sums[i] = 0;
  for (int64_t position = 0; position < samples; position += batches_.SizeAt(position)) {
    FedBatch& batch = batches_.At(position);
    batch.Run(std::span(order_).subspan(static_cast<size_t>(position), static_cast<size_t>(batches_.SizeAt(position))));
    for (size_t k = 0; k < computed.size(); ++k) sums[computed[k]] += batch.SumOf(k);
  }
  for (double& sum : sums) sum /= static_cast<double>(samples);
  return {.loss = sums[0], .watched = {sums.begin() + 1, sums.end()}};
}

Tensor NormalRows(int64_t count, int64_t width, uint64_t seed, DType dtype) {
  Graph graph;
  const Node rows = RandomNormal(graph, "Evaluation/Epsilon", {count, width}, dtype);
  VariableStore nothing;
  Session session(graph, nothing, {.threads = 1, .seed = seed});
  return session.Run({}, rows);
}

ElboFigures EvaluateElbo(Session& session, const ElboNodes& nodes, const Rows& images, uint64_t seed, int64_t batch) {
  const Tensor noise = NormalRows(images.count(), nodes.epsilon.shape()[1].length(), seed, nodes.epsilon.dtype());
  const Objective objective = {.loss = nodes.total,
                               .watched = {{"reconstruction", nodes.reconstruction}, {"kl", nodes.divergence}}};
  const Means means = Evaluation(session, objective, {{nodes.x, images}, {nodes.epsilon, Rows::Of(noise)}}, batch,
                                 {.guards = {nodes.total}})
                          .Run();
  const double negative_elbo = means.watched[0] + means.watched[1];
  const auto pixels = static_cast<double>(nodes.x.shape()[1].length());
  return {.negative_elbo = negative_elbo,
          .reconstruction = means.watched[0],
          .divergence = means.watched[1],
          .bits_per_dim = negative_elbo / (pixels * std::numbers::ln2)};
}

ElboFigures EvaluateElbo(Session& session, const VariationalAutoencoder& vae, const Rows& images, uint64_t seed,
                         int64_t batch) {
  const ElboNodes nodes = {.x = vae.x,
                           .epsilon = vae.encoder.epsilon,
                           .reconstruction = vae.loss.reconstruction,
                           .divergence = vae.loss.divergence,
                           .total = vae.loss.total};
  return EvaluateElbo(session, nodes, images, seed, batch);
}

}  // namespace weft
