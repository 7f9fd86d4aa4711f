// A training run of a small network that is wide enough for several threads.
#pragma once

#include <algorithm>

#include "weft/graph/runtime/session.h"
#include "weft/models/training/optimizers.h"
#include "weft/models/variational_autoencoder.h"

namespace weft {

struct WideRun {
  explicit WideRun(TaskRunner& runner) : session(graph, store, {.runner = &runner}) {
    Initialize(graph, store, {.threads = 1});
  }
  // 64 grey images; the loss and the norm of its gradients are fetched and guarded.
  PreparedRun Prepare() {
    PreparedRun run = session.Prepare(
        {vae.loss.total, training.global_norm},
        {.mode = Mode::kTraining, .updates = true, .batch = 64, .guards = {vae.loss.total, training.global_norm}});
    std::ranges::fill(run.Input<float>(vae.x), 0.25F);
    return run;
  }

  Graph graph;
  VariationalAutoencoder vae =
      BuildVariationalAutoencoder(graph, {.pixels = 99, .hidden_units = 160, .hidden_layers = 1});
  Minimization training = Minimize(vae.loss.total, Adam{}, {.clip_global_norm = 5});
  VariableStore store{graph};
  Session session;
};

}  // namespace weft
