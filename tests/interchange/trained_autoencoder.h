// A small variational autoencoder after some steps of training, so that no statistic is what it was initialised to.
#pragma once

#include "weft/graph/runtime/session.h"
#include "weft/models/training/optimizers.h"
#include "weft/models/variational_autoencoder.h"
#include "weft/tests/support/op_matrix.h"

namespace weft {

struct TrainedAutoencoder {
  Graph graph;
  VariationalAutoencoder vae =
      BuildVariationalAutoencoder(graph, {.pixels = 64, .hidden_units = 24, .hidden_layers = 2});
  VariableStore variables;

  TrainedAutoencoder() {
    Minimize(vae.loss.total, Adam{.learning_rate = 0.01});
    Session session(graph, variables, {.threads = 1});
    Initialize(graph, variables, {.threads = 1});
    for (uint64_t step = 0; step < 20; ++step) {
      const Tensor x = DrawValues({.low = 0, .high = 1}, {32, 64}, DType::kFloat32, 100 + step);
      session.Step({{vae.x, x}}, {vae.loss.total});
    }
  }
};

}  // namespace weft
