// Gradients of samples, and difference quotients.
#include "weft/tests/support/gradient_graph.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "weft/autodiff/gradients.h"
#include "weft/ops/operators.h"
#include "weft/tests/support/reference_interpreter.h"

namespace weft {
namespace {

constexpr GradientOptions kZeroIfUnconnected = {.unconnected = Unconnected::kZero};

// Of `count` elements, at most some sixty are looked at, spread evenly.
size_t Stride(size_t count) { return std::max<size_t>(1, count / 60); }

std::vector<Node> FloatingOnes(const std::vector<Node>& nodes) {
  std::vector<Node> floating;
  for (const Node& node : nodes) {
    if (IsFloating(node.dtype())) floating.push_back(node);
  }
  return floating;
}

// Σₖ Σ weights[k]·of[k], in the type of the first.
Node WeightedSum(const std::vector<Node>& weights, const std::vector<Node>& of) {
  Node sum = ReduceSum(of[0] * weights[0]);
  for (size_t i = 1; i < of.size(); ++i) sum = sum + Cast(ReduceSum(of[i] * weights[i]), sum.dtype());
  return sum;
}

}  // namespace

std::vector<Node> GradientCheck::fetches() const {
  std::vector<Node> fetches = results;
  fetches.insert(fetches.end(), gradients.begin(), gradients.end());
  return fetches;
}

GradientGraph::GradientGraph(OpGraph& from) : GradientGraph({from.y()}, FloatingOnes(from.operands), from.feeds) {}

GradientGraph::GradientGraph(const std::vector<Node>& results, const std::vector<Node>& variables,
                             const std::map<NodeId, Tensor>& feeds)
    : feeds_(feeds),
      results_(results),
      variables_(variables),
      v_(AddWeights("WeightOfResult", results)),
      target_(WeightedSum(v_, results)) {
  gradients_ = Gradients(target_, variables_, kZeroIfUnconnected);
  u_ = AddWeights("WeightOfGradient", gradients_);
}

std::vector<Node> GradientGraph::AddWeights(const std::string& name, const std::vector<Node>& of) {
  std::vector<Node> weights;
  for (const Node& node : of) {
    weights.push_back(
        Placeholder(node.graph(), name + std::to_string(weights.size()), node.shape(), {.dtype = node.dtype()}));
    feeds_[weights.back().id()] = DrawValues({.low = 0.5, .high = 1.5}, node.shape(), node.dtype(), 77 + feeds_.size());
  }
  return weights;
}

GradientCheck GradientGraph::First() const {
  return {.variables = variables_, .gradients = gradients_, .results = results_, .weights = v_};
}

GradientCheck GradientGraph::Second() const {
  std::vector<Node> variables = variables_;
  variables.insert(variables.end(), v_.begin(), v_.end());
  return {.variables = variables,
          .gradients = Gradients(WeightedSum(u_, gradients_), variables, kZeroIfUnconnected),
          .results = gradients_,
          .weights = u_,
          .relative = 1e-6,
          .absolute = 1e-8};
}

std::string Disagreement(const GradientCheck& check, const std::map<NodeId, Tensor>& feeds, const Evaluate& evaluate) {
  const size_t results = check.results.size();
  const std::vector<Tensor> base = evaluate(feeds);
  std::map<NodeId, Tensor> moved = feeds;
  std::string text;
  for (size_t v = 0; v < check.variables.size(); ++v) {
    Tensor& variable = moved.at(check.variables[v].id());
    const auto values = variable.values<double>();
    const auto gradient = base[results + v].values<double>();
    for (size_t e = 0; e < values.size(); e += Stride(values.size())) {
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

double Asymmetry(const GradientCheck& second, const std::map<NodeId, Tensor>& feeds, const Evaluate& evaluate) {
  // The weights of the first gradients are the direction; Hp is what is found for the variables, which come first.
  using Direction = std::vector<Tensor>;
  const auto hessian_times = [&](const Direction& direction) {
    std::map<NodeId, Tensor> moved = feeds;
    for (size_t i = 0; i < direction.size(); ++i) moved.at(second.weights[i].id()) = direction[i];
    return evaluate(moved);
  };
  Direction p, q;
  for (const Node& weight : second.weights) {
    p.push_back(feeds.at(weight.id()));
    q.push_back(DrawValues({.low = -1, .high = 1}, weight.shape(), weight.dtype(), 1000 + q.size()));
  }
  const std::vector<Tensor> hp = hessian_times(p), hq = hessian_times(q);
  double difference = 0, size = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    for (size_t e = 0; e < p[i].values<double>().size(); ++e) {
      const auto at = [e](const Tensor& tensor) { return tensor.values<double>()[e]; };
      difference += at(q[i]) * at(hp[i]) - at(p[i]) * at(hq[i]);
      size += std::abs(at(q[i]) * at(hp[i])) + std::abs(at(p[i]) * at(hq[i]));
    }
  }
  return difference == 0 ? 0 : std::abs(difference) / size;
}

void Distance::Include(std::string_view what, size_t element, double got, double expected, double terms_of_it) {
  constexpr double kNothing = 1e-30;  // what a complex step of 1e-20 leaves of a slope of 0
  const double error = std::abs(got - expected);
  const double distance = error <= kNothing ? 0 : error / terms_of_it;
  if (distance <= terms) return;
  terms = distance;
  where = fmt::format("gradient of '{}' at element {}: got {}, expected {}, terms {}", what, element, got, expected,
                      terms_of_it);
}

Distance FromSlopes(Graph& graph, const GradientCheck& check, const std::map<NodeId, Tensor>& feeds) {
  const std::vector<Tensor> gradients = InterpretReference(graph, check.gradients, feeds);
  const std::vector<Tensor> terms = InterpretTerms(graph, check.gradients, feeds);
  Distance distance;
  for (size_t v = 0; v < check.variables.size(); ++v) {
    const Node& variable = check.variables[v];
    const auto count = static_cast<size_t>(gradients[v].size());
    for (size_t e = 0; e < count; e += Stride(count)) {
      Tensor direction(DType::kFloat64, gradients[v].shape());
      direction.values<double>()[e] = 1;
      const std::vector<Tensor> slopes = InterpretSlopes(graph, check.results, feeds, {{variable.id(), direction}});
      double slope = 0;
      for (size_t k = 0; k < slopes.size(); ++k) {
        const Tensor weights = feeds.at(check.weights[k].id()).Cast(DType::kFloat64);
        for (size_t i = 0; i < weights.values<double>().size(); ++i) {
          slope += weights.values<double>()[i] * slopes[k].values<double>()[i];
        }
      }
      distance.Include(variable.name().str(), e, gradients[v].values<double>()[e], slope, terms[v].values<double>()[e]);
    }
  }
  return distance;
}

FormulaGradients::FormulaGradients(Graph& graph, const GradientCheck& check, const std::map<NodeId, Tensor>& feeds)
    : gradients_(InterpretReference(graph, check.gradients, feeds)),
      terms_(InterpretTerms(graph, check.gradients, feeds)) {
  for (const Node& variable : check.variables) names_.push_back(variable.name().str());
}

Distance FormulaGradients::To(std::span<const Tensor> got) const {
  Distance distance;
  for (size_t v = 0; v < names_.size(); ++v) {
    const Tensor wide = got[v].Cast(DType::kFloat64);
    for (size_t e = 0; e < wide.values<double>().size(); ++e) {
      distance.Include(names_[v], e, wide.values<double>()[e], gradients_[v].values<double>()[e],
                       terms_[v].values<double>()[e]);
    }
  }
  return distance;
}

}  // namespace weft
