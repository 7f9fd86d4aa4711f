// From options to a graph that can be trained.
#pragma once

#include <string>
#include <vector>

#include "weft/examples/vae/model.h"
#include "weft/examples/vae/model_size.h"
#include "weft/examples/vae/options.h"
#include "weft/models/training/evaluation.h"
#include "weft/models/training/optimizers.h"

namespace weft {

// Of pictures with so many pixels.
VaeConfig ConfigOf(const ModelOptions& model, const StepOptions& step, int64_t pixels = 784);

// The model that the options ask for, of pictures of these sizes; 0: of whatever sizes it is made for. Throws
// UsageError for parameters that it does not have, CheckpointError for a text that is none.
Model ModelOf(const ModelOptions& options, const StepOptions& step, int64_t rows = 0, int64_t columns = 0);

// The optimiser of that name with that learning rate; its other numbers are its own.
Optimizer OptimizerOf(const StepOptions& step);

// The model forwards. Throws CheckpointError for a text that is no autoencoder.
Autoencoder BuildAutoencoder(Graph& graph, const Model& model);

struct TrainableModel {
  Autoencoder vae;
  Minimization minimization;
};

// The whole graph: model, gradients, updates.
TrainableModel BuildTrainable(Graph& graph, const Model& model, const StepOptions& step);

// Scalars that must be finite in each step.
std::vector<Node> Guards(const TrainableModel& model);

ElboNodes ElboNodesOf(const Autoencoder& vae);

// "latent 2, hidden 512, layers 3", or all parameters of a text.
std::string SizesText(const Model& model);

// Bytes of the variables, as by ModelBytes of a config.
double ModelBytes(const Model& model, Memory memory);
// Throws ResourceError if this process cannot have so many bytes.
void RequireMemory(const Model& model, Memory memory);

}  // namespace weft
