// Gradients of one op, and the difference quotients that they are compared with.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weft/graph/graph.h"
#include "weft/tests/support/op_matrix.h"

namespace weft {

// Σₖ Σ results[k]·weights[k] was differentiated; `gradients` has one node a variable.
struct GradientCheck {
  std::vector<Node> variables;  // f64 placeholders
  std::vector<Node> gradients;
  std::vector<Node> results;
  std::vector<Node> weights;  // f64 placeholders, none of them a variable
  double relative = 1e-7, absolute = 1e-9;

  std::vector<Node> fetches() const;  // results, then gradients
};

// The graph of some results yₖ, of Σₖ Σ vₖ·yₖ, its gradients gᵢ by the variables, and of Σᵢ Σ uᵢ·gᵢ.
class GradientGraph {
 public:
  explicit GradientGraph(OpGraph& from);
  GradientGraph(const std::vector<Node>& results, const std::vector<Node>& variables,
                const std::map<NodeId, Tensor>& feeds);

  Node target() const { return target_; }
  const std::vector<Node>& gradients() const { return gradients_; }
  const std::map<NodeId, Tensor>& feeds() const { return feeds_; }  // what was given, and weights
  bool has_variables() const { return !variables_.empty(); }
  GradientCheck First() const;
  GradientCheck Second() const;  // appends the gradients of the gradients: by the variables, and by v

 private:
  std::vector<Node> AddWeights(const std::string& name, const std::vector<Node>& of);

  std::map<NodeId, Tensor> feeds_;
  std::vector<Node> results_, variables_, v_, gradients_, u_;
  Node target_;
};

// Values of the fetches of a check, given feeds: by an interpreter, or by a compiled program.
using Evaluate = std::function<std::vector<Tensor>(const std::map<NodeId, Tensor>& feeds)>;

// Compares with central differences under one step of Richardson's extrapolation: "" if all agree, else what does not.
std::string Disagreement(const GradientCheck& check, const std::map<NodeId, Tensor>& feeds, const Evaluate& evaluate);

// Of a check of the second order: |qᵀHp − pᵀHq| / (|q|ᵀ|Hp| + |p|ᵀ|Hq|), H the Hessian, p and q two directions.
double Asymmetry(const GradientCheck& second, const std::map<NodeId, Tensor>& feeds, const Evaluate& evaluate);

// How far gradients are from what they should be, in sums of terms (see InterpretTerms).
struct Distance {
  double terms = 0;   // the largest |got − expected| / (sum of terms)
  std::string where;  // that is: "gradient of 'X0' at element 3: got 1.0, expected 2.0, terms 2.0"

  // Without terms, a number must be met: to 1e-30.
  void Include(std::string_view what, size_t element, double got, double expected, double terms_of_it);
};

// Two ways in f64 to the same number, of which none rounds an op by more than a few units: see InterpretTerms.
inline constexpr double kSlopeError = 1e-15;
// Kernels are right to 4 units in the last place, up to 8 units of ε·|value|.
inline constexpr double kKernelUnits = 8;

// Of the gradients by formulas from the slopes of the results (see InterpretSlopes).
Distance FromSlopes(Graph& graph, const GradientCheck& check, const std::map<NodeId, Tensor>& feeds);

// The gradients by formulas in f64, to compare those of kernels with.
class FormulaGradients {
 public:
  FormulaGradients(Graph& graph, const GradientCheck& check, const std::map<NodeId, Tensor>& feeds);

  Distance To(std::span<const Tensor> got) const;

 private:
  std::vector<std::string> names_;
  std::vector<Tensor> gradients_, terms_;
};

}  // namespace weft
