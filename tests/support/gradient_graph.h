// Gradients of one op, and the difference quotients that they are compared with.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
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

// The graph of y, of Σ v·y, its gradients gᵢ by the operands, and of Σᵢ Σ uᵢ·gᵢ.
class GradientGraph {
 public:
  explicit GradientGraph(OpGraph& from);

  const std::vector<Node>& gradients() const { return gradients_; }
  const std::map<NodeId, Tensor>& feeds() const { return feeds_; }  // operands and weights
  bool has_variables() const { return !variables_.empty(); }
  GradientCheck First() const;
  GradientCheck Second() const;  // appends the gradients of the gradients: by the operands, and by v

 private:
  Node AddWeight(const std::string& name, Node like);

  Node y_;
  std::map<NodeId, Tensor> feeds_;
  Node v_;
  std::vector<Node> variables_, gradients_, u_;
};

// Values of the fetches of a check, given feeds: by an interpreter, or by a compiled program.
using Evaluate = std::function<std::vector<Tensor>(const std::map<NodeId, Tensor>& feeds)>;

// Compares with central differences under one step of Richardson's extrapolation: "" if all agree, else what does not.
std::string Disagreement(const GradientCheck& check, const std::map<NodeId, Tensor>& feeds, const Evaluate& evaluate);

}  // namespace weft
