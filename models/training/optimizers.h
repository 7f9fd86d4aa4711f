// Optimisers: how gradients become updates of variables.
//
//   Minimization training = Minimize(vae.loss.total, Adam{.learning_rate = 1e-3}, {.clip_global_norm = 5});
//
// t counts steps from 1, g is a variable's gradient (clipped), w the variable; slots begin with 0. Slots are the
// variables Training/<optimiser>/<slot>/<path of w>, and Training/Step holds t: all that must be saved for training to
// go on.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "weft/graph/graph.h"

namespace weft {

// w ← w − rate·g
struct SGD {
  double learning_rate = 0.01;
};

// velocity ← momentum·velocity + g;  w ← w − rate·velocity
struct Momentum {
  double learning_rate = 0.01;
  double momentum = 0.9;
};

// velocity ← momentum·velocity + g;  w ← w − rate·(g + momentum·velocity)
struct Nesterov {
  double learning_rate = 0.01;
  double momentum = 0.9;
};

// square ← decay·square + (1 − decay)·g²;  w ← w − rate·g / (√square + epsilon)
struct RMSProp {
  double learning_rate = 0.001;
  double decay = 0.99;
  double epsilon = 1e-8;
};

// square ← square + g²;  w ← w − rate·g / (√square + epsilon)
struct AdaGrad {
  double learning_rate = 0.01;
  double epsilon = 1e-10;
};

// m ← β₁·m + (1 − β₁)·g;  v ← β₂·v + (1 − β₂)·g²;  m̂ = m / (1 − β₁ᵗ);  v̂ = v / (1 − β₂ᵗ)
enum class AdamEpsilon : uint8_t {
  kPyTorch,     // w ← w − rate·m̂ / (√v̂ + epsilon)
  kTensorFlow,  // w ← w − rate·√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + epsilon)
};
struct Adam {
  double learning_rate = 0.001;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  AdamEpsilon form = AdamEpsilon::kPyTorch;
};

// Adam, but w − … begins with w·(1 − rate·weight_decay).
struct AdamW {
  double learning_rate = 0.001;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  AdamEpsilon form = AdamEpsilon::kPyTorch;
  double weight_decay = 0.01;
};

using Optimizer = std::variant<SGD, Momentum, Nesterov, RMSProp, AdaGrad, Adam, AdamW>;

struct MinimizeOptions {
  // All gradients are multiplied by clip / max(norm, clip), norm = √(Σ g²) over all variables.
  std::optional<double> clip_global_norm = std::nullopt;
  std::vector<std::string> variables = {};  // globs of trainable variables; none: all
  std::vector<std::string> freeze = {};     // globs of those that are left as they are
};

struct Minimization {
  Node learning_rate;  // Training/LearningRate, a scalar placeholder; the optimiser's own where it is not fed
  Node step;           // Training/Step, t of the last step
  Node global_norm;    // Gradients/GlobalNorm, before clipping: for guards and curves
  std::vector<Node> variables, gradients;  // in the order of paths; the gradients before clipping
};

// Appends the gradients of the scalar `loss` and an update for each trainable variable that is chosen. Running averages
// of layers go on even where their variables are frozen. Throws GraphError if nothing is to be trained, if a glob
// matches nothing, if the loss does not depend on a chosen variable or cannot be differentiated, for a clip that is not
// positive, and for a second call on the same graph.
Minimization Minimize(Node loss, const Optimizer& optimizer, const MinimizeOptions& options = {});

}  // namespace weft
