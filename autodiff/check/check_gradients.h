// CheckGradients: is the gradient that Gradients derives the slope of the target? Difference quotients in f64 answer.
//
//   GradientReport report = CheckGradients(loss, {w, b}, store, {.feeds = {{x, picture}}});
//   if (!report.ok()) std::cerr << ToString(report);
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "weft/graph/runtime/session.h"

namespace weft {

struct CheckOptions {
  // Values of placeholders or of any node, those to be checked included; N is taken from them.
  std::vector<Feed> feeds = {};
  Mode mode = Mode::kInference;

  // A slope is right if |gradient − quotient| ≤ relative · max(|gradient|, |quotient|) + absolute · max(1, |target|).
  double relative_tolerance = 1e-7;   // of one element: a wrong term, factor or sign is far outside
  double direction_tolerance = 1e-6;  // relative too, along a direction, where the slopes of many elements cancel
  // What the rounding of the target leaves in a quotient, 2⁻⁵³ · |target| / step, with room.
  double absolute_tolerance = 1e-9;

  // x is moved by step · max(1, |x|). A quotient extrapolated from step and step/2 is off by step⁴ (1e-16) and by
  // rounding (2e-12 of the target); a kink within a step of x is stepped over by trying step/16 and step/256; one at x
  // is not compared.
  double step = 1e-4;
  int64_t max_elements = 64;  // larger tensors are checked along random directions, not element by element
  int directions = 8;         // through each larger tensor, and through all variables at once
  uint64_t seed = 1;          // of the directions
  SessionOptions session = {};
};

struct SlopeMismatch {
  Path variable;         // the root: a direction through all variables at once
  int64_t element = -1;  // −1: a direction
  double gradient = 0, quotient = 0;
};

struct GradientReport {
  size_t slopes = 0;     // compared
  size_t unsettled = 0;  // not compared, as the quotient depends on the step: a kink or a jump of the target
  double worst = 0;      // largest |gradient − quotient| / max(1, |gradient|, |quotient|)
  std::vector<SlopeMismatch> mismatches = {};

  bool ok() const { return mismatches.empty() && (slopes > 0 || unsettled == 0); }
};

// "12 slopes, 0 unsettled, worst 3.1e-11", and a line for each of the first five mismatches.
std::string ToString(const GradientReport& report);

// Compares Gradients(target, variables) with central differences. `variables` are variables of the store or fed nodes,
// all f64 as is the scalar `target`; none may be what a fed node would be computed from. The gradient's nodes are
// appended to the target's graph; values in the store are moved while it runs, so no other session may use it, and are
// as before at the end, also when it throws. Away from kinks only. Throws GraphError for another dtype, a node that is
// neither fed nor stored or is given twice, a placeholder without a value, and as Gradients does; NumericError if the
// target is not finite.
GradientReport CheckGradients(Node target, std::span<const Node> variables, VariableStore& store,
                              const CheckOptions& options = {});

inline GradientReport CheckGradients(Node target, std::initializer_list<Node> variables, VariableStore& store,
                                     const CheckOptions& options = {}) {
  return CheckGradients(target, std::span(variables.begin(), variables.size()), store, options);
}

}  // namespace weft
