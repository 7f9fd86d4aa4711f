// The training program step by step: how long each takes, and how near it comes to what the processor can do.
#pragma once

#include <cstdint>

#include "weft/examples/vae/network.h"
#include "weft/examples/vae/output.h"

namespace weft {

// Trains the model of `graph` for some seconds, on random images and one thread.
void PrintProfile(Graph& graph, const TrainableModel& model, int64_t batch, Output& output);

}  // namespace weft
