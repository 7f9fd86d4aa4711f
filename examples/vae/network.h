// From options to a graph that can be trained.
#pragma once

#include "weft/examples/vae/options.h"
#include "weft/models/training/optimizers.h"
#include "weft/models/variational_autoencoder.h"

namespace weft {

// Of pictures with so many pixels.
VaeConfig ConfigOf(const ModelOptions& model, const StepOptions& step, int64_t pixels = 784);

// The optimiser of that name with that learning rate; its other numbers are its own.
Optimizer OptimizerOf(const StepOptions& step);

struct TrainableModel {
  VariationalAutoencoder vae;
  Minimization minimization;
};

// The whole graph: model, gradients, updates.
TrainableModel BuildTrainable(Graph& graph, const VaeConfig& config, const StepOptions& step);

// Scalars that must be finite in each step.
std::vector<Node> Guards(const TrainableModel& model);

}  // namespace weft
