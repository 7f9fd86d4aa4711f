// Layers: nodes with variables of their own.
//
//   Node h = Relu(BatchNormalization(FullyConnected(x, 512)));   // variables FullyConnected/W, …/b, and so on
//   Node mean = FullyConnected("Mean", h, 2);                    // node Mean, variables Mean/W and Mean/b
//
// A layer is a scope, and its result carries the scope's path. A layer without a stated name is called by its kind with
// a counter per scope: FullyConnected, FullyConnected_1, … Element types follow x. All throw GraphError for operands
// that do not fit, and for a name that is taken.
#pragma once

#include <cstdint>
#include <string_view>

#include "weft/graph/graph.h"

namespace weft {

// What variables are before the first step; fan_in and fan_out are the rows and columns of W.
enum class Initializer : uint8_t {
  kTutorial,  // W: 0.02 · N(0, 1) redrawn outside ±2; b: 0; gamma: N(1, 0.002²)
  kTorch,     // W and b: uniform in ±1/√fan_in; gamma: 1
  kGlorot,    // W: uniform in ±√(6 / (fan_in + fan_out)); b: 0; gamma: 1
  kHe,        // W: N(0, 2/fan_in); b: 0; gamma: 1
};

struct FullyConnectedOptions {
  Initializer initializer = Initializer::kTutorial;
  bool bias = true;
};

// x·W + b: [N, in] → [N, units], with the variables W [in, units] and b [units]. Of more than two axes, all behind the
// first are one.
Node FullyConnected(Node x, int64_t units, const FullyConnectedOptions& options = {});
Node FullyConnected(std::string_view name, Node x, int64_t units, const FullyConnectedOptions& options = {});

struct BatchNormalizationOptions {
  double decay = 0.9;                     // of the moving averages: m ← decay·m + (1 − decay)·batch
  double epsilon = 1e-5;                  // added to the variance
  bool unbiased_moving_variance = false;  // averages Σ(x − mean)² / (n − 1), not Σ(x − mean)² / n as the formula takes
  Initializer initializer = Initializer::kTutorial;
};

// (x − mean) · gamma / √(variance + epsilon) + beta, feature by feature (the last axis). Mean and variance are those of
// the batch in training, which also moves moving_mean and moving_variance (an update), and the moving ones in
// inference. Variables beta, gamma, moving_mean (0 at first), moving_variance (1), all [features]; the last two are not
// trainable.
Node BatchNormalization(Node x, const BatchNormalizationOptions& options = {});
Node BatchNormalization(std::string_view name, Node x, const BatchNormalizationOptions& options = {});

}  // namespace weft
