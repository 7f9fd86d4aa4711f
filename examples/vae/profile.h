// The training program step by step: how long each takes, and how near it comes to what the processor can do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weft/exporters/step_figures.h"
#include "weft/examples/vae/limits.h"
#include "weft/examples/vae/network.h"
#include "weft/examples/vae/output.h"
#include "weft/graph/compile/compile.h"

namespace weft {

// What a training step computes: the loss, and all updates if the guards are finite.
CompileOptions TrainingRequest(const TrainableModel& model, int64_t batch);

struct Profile {
  Limits limits;                // of one thread
  std::vector<double> seconds;  // of each step of the program that TrainingRequest asks for
};

// Trains the model of `graph` for some seconds, on random images and one thread.
Profile MeasureTraining(Graph& graph, const TrainableModel& model, int64_t batch);

// What binds a step, multiply-adds or bytes.
struct Rate {
  double per_second = 0;  // FLOP or bytes
  bool is_of_flops = false;
  double share = 0;        // of the limit
  std::string_view limit;  // "peak", or the level of the memory, "L2"
};

Rate RateOf(const StepFigures& figures, double seconds, const Limits& limits);

void PrintProfile(const Program& program, const Profile& profile, Output& output);

}  // namespace weft
