// Gradients of samples, and difference quotients.
#include "weft/tests/support/gradient_graph.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "weft/autodiff/gradients.h"
#include "weft/ops/operators.h"

namespace weft {
namespace {

constexpr GradientOptions kZeroIfUnconnected = {.unconnected = Unconnected::kZero};

}  // namespace

std::vector<Node> GradientCheck::fetches() const {
  std::vector<Node> fetches = results;
  fetches.insert(fetches.end(), gradients.begin(), gradients.end());
  return fetches;
}

GradientGraph::GradientGraph(OpGraph& from) : y_(from.y()), feeds_(from.feeds), v_(AddWeight("V", y_)) {
  for (const Node& operand : from.operands) {
    if (IsFloating(operand.dtype())) variables_.push_back(operand);
  }
  gradients_ = Gradients(ReduceSum(y_ * v_), variables_, kZeroIfUnconnected);
  for (const Node& gradient : gradients_) u_.push_back(AddWeight(fmt::format("U{}", u_.size()), gradient));
}

Node GradientGraph::AddWeight(const std::string& name, Node like) {
  const Node weight = Placeholder(like.graph(), name, like.shape(), {.dtype = like.dtype()});
  feeds_[weight.id()] = DrawValues({.low = 0.5, .high = 1.5}, like.shape(), like.dtype(), 77 + feeds_.size());
  return weight;
}

GradientCheck GradientGraph::First() const {
  return {.variables = variables_, .gradients = gradients_, .results = {y_}, .weights = {v_}};
}

GradientCheck GradientGraph::Second() const {
  std::vector<Node> variables = variables_;
  variables.push_back(v_);
  Node target = ReduceSum(gradients_[0] * u_[0]);
  for (size_t i = 1; i < gradients_.size(); ++i) target = target + ReduceSum(gradients_[i] * u_[i]);
  return {.variables = variables,
          .gradients = Gradients(target, variables, kZeroIfUnconnected),
          .results = gradients_,
          .weights = u_,
          .relative = 1e-6,
          .absolute = 1e-8};
}

std::string Disagreement(const GradientCheck& check, const std::map<NodeId, Tensor>& feeds, const Evaluate& evaluate) {
  constexpr size_t kMostElements = 60;  // of one variable, spread evenly
  const size_t results = check.results.size();
  const std::vector<Tensor> base = evaluate(feeds);
  std::map<NodeId, Tensor> moved = feeds;
  std::string text;
  for (size_t v = 0; v < check.variables.size(); ++v) {
    Tensor& variable = moved.at(check.variables[v].id());
    const auto values = variable.values<double>();
    const auto gradient = base[results + v].values<double>();
    const size_t stride = std::max<size_t>(1, values.size() / kMostElements);
    for (size_t e = 0; e < values.size(); e += stride) {
      const double x = values[e];
      // Σ weights · (f(x + h) − f(x − h)) / 2h: the terms that do not move cancel one by one, before they are summed.
      const auto quotient = [&](double h) {
        const double up = x + h, down = x - h;
        values[e] = up;
        const std::vector<Tensor> above = evaluate(moved);
        std::vector<Tensor> weights;
        values[e] = down;
        const std::vector<Tensor> below = evaluate(moved);
        values[e] = x;
        double sum = 0;
        for (size_t k = 0; k < results; ++k) {
          const auto a = above[k].values<double>(), b = below[k].values<double>();
          const auto w = feeds.at(check.weights[k].id()).values<double>();
          for (size_t i = 0; i < a.size(); ++i) sum += w[i] * (a[i] - b[i]) / (up - down);
        }
        return sum;
      };
      // The error of a quotient is c·h² + O(h⁴): two of them cancel the first term.
      const double h = 1e-4 * std::max(std::abs(x), 0.1);
      const double numeric = (4 * quotient(h / 2) - quotient(h)) / 3;
      const double bound = check.absolute + check.relative * std::abs(numeric);
      if (std::abs(gradient[e] - numeric) <= bound) continue;
      text += fmt::format("gradient of '{}' at element {} (value {}): got {}, expected {}\n",
                          check.variables[v].name().str(), e, x, gradient[e], numeric);
      if (text.size() > 1000) return text;
    }
  }
  return text;
}

}  // namespace weft
