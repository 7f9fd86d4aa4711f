// Samples made into graphs, and difference quotients.
#include "weft/tests/support/op_matrix.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <fmt/format.h>

#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

const Domain& DomainOf(const Sample& sample, size_t i) { return sample.domains[sample.domains.size() == 1 ? 0 : i]; }

// In [0, 1), from an engine whose numbers are the standard's; the library's own generator is under test.
double Unit(std::mt19937_64& engine) { return static_cast<double>(engine() >> 11) * 0x1p-53; }

// The value of a source that must be given: its formula.
bool MustBeGiven(const Node& node) {
  const OpDef& op = node.op();
  return op.is_source(SourceKind::kVariable) ||
         (op.is_source(SourceKind::kPlaceholder) && node.attributes().Find("default") == nullptr);
}

double Spacing(double value, DType dtype) {
  if (dtype == DType::kFloat64) return std::nextafter(std::abs(value), HUGE_VAL) - std::abs(value);
  const float magnitude = std::abs(static_cast<float>(value));
  return static_cast<double>(std::nextafter(magnitude, HUGE_VALF)) - static_cast<double>(magnitude);
}

Shape Stretched(const Shape& shape, int64_t factor) {
  std::vector<Dim> dims(shape.begin(), shape.end());
  for (Dim& dim : dims) {
    if (dim != Dim(1)) dim = dim.length() * factor;
  }
  return Shape(dims);
}

std::vector<Tensor> ValuesOf(const OpGraph& graph) {
  std::vector<Tensor> values;
  for (const Node& operand : graph.operands) values.push_back(graph.feeds.at(operand.id()).Cast(DType::kFloat64));
  return values;
}

}  // namespace

Tensor DrawValues(const Domain& domain, const Shape& shape, DType dtype, uint64_t seed) {
  constexpr double kMargin = 2e-3;  // ten steps of a difference quotient
  Tensor tensor(DType::kFloat64, shape);
  std::mt19937_64 engine(seed);
  for (double& value : tensor.values<double>()) {
    const auto is_near = [&](double kink) { return std::abs(value - kink) < kMargin * std::max(1.0, std::abs(kink)); };
    int attempts = 100;  // a domain of a single point cannot keep away from it
    do value = domain.low + (domain.high - domain.low) * Unit(engine);
    while (std::ranges::any_of(domain.kinks, is_near) && --attempts > 0);
    if (dtype == DType::kInt64) value = std::round(value);
    if (dtype == DType::kBool) value = 2 * value > domain.low + domain.high ? 1 : 0;
  }
  return tensor.Cast(dtype);
}

std::unique_ptr<OpGraph> BuildOpGraph(const OpDef& op, const Sample& sample, DType dtype) {
  auto result = std::make_unique<OpGraph>();
  Graph& graph = result->graph;
  result->label = fmt::format("{} {}", *op.name, Name(dtype));
  for (size_t i = 0; i < sample.operands.size(); ++i) {
    const bool is_state = op.traits.is_random && i == 0;
    const Node operand =
        is_state ? RandomState(graph) : Placeholder(graph, fmt::format("X{}", i), sample.operands[i], {.dtype = dtype});
    result->operands.push_back(operand);
    result->label += " " + ToString(sample.operands[i]);
    if (is_state) result->feeds[operand.id()] = Tensor::Of<int64_t>({2}, {1, 0});  // what a session gives
    else result->feeds[operand.id()] = DrawValues(DomainOf(sample, i), sample.operands[i], dtype, 1 + i);
  }
  result->label += " " + ToString(sample.attributes);
  const Node y = graph.AddNamed("Y", op, result->operands, sample.attributes);
  result->result.push_back(y);
  if (MustBeGiven(y)) result->feeds[y.id()] = DrawValues(DomainOf(sample, 0), y.shape(), y.dtype(), 1);
  return result;
}

std::vector<std::unique_ptr<OpGraph>> AllOpGraphs(const OpDef& op) {
  std::vector<std::unique_ptr<OpGraph>> graphs;
  for (DType dtype : kAllDTypes) {
    if (*op.arity == 0 && dtype != DType::kFloat32) continue;  // a source has no operand to be of another type
    for (const Sample& sample : op.samples().samples) {
      try {
        graphs.push_back(BuildOpGraph(op, sample, dtype));
      } catch (const GraphError&) {
        if (IsFloating(dtype)) throw;
      }
    }
  }
  return graphs;
}

std::vector<std::unique_ptr<OpGraph>> OpGraphs(const OpDef& op, DType dtype) {
  std::vector<std::unique_ptr<OpGraph>> graphs;
  for (const Sample& sample : op.samples().samples) graphs.push_back(BuildOpGraph(op, sample, dtype));
  return graphs;
}

std::unique_ptr<OpGraph> BuildStretched(const OpDef& op, const Sample& sample, DType dtype, int64_t elements) {
  int64_t size = 1;
  size_t rank = 1;
  const auto include = [&](const Shape& shape) {
    size = std::max(size, ElementCount(shape));
    rank = std::max(rank, shape.rank());
  };
  for (const Shape& shape : sample.operands) include(shape);
  for (const auto& [key, value] : sample.attributes) {
    if (const Shape* shape = std::get_if<Shape>(&value)) include(*shape);
  }
  const auto factor =
      static_cast<int64_t>(std::pow(static_cast<double>(elements / size), 1 / static_cast<double>(rank)));
  Sample stretched = sample;
  for (Shape& shape : stretched.operands) shape = Stretched(shape, std::max<int64_t>(1, factor));
  for (const auto& [key, value] : sample.attributes) {
    if (const Shape* shape = std::get_if<Shape>(&value)) {
      stretched.attributes.Set(key, Stretched(*shape, std::max<int64_t>(1, factor)));
    }
  }
  if (op.traits.is_random) stretched.operands = sample.operands;
  try {
    return BuildOpGraph(op, stretched, dtype);
  } catch (const GraphError&) {
    return nullptr;
  }
}

Tensor FormulaOf(const OpGraph& graph) {
  const Node y = graph.y();
  if (const auto given = graph.feeds.find(y.id()); given != graph.feeds.end()) {
    return given->second.Cast(DType::kFloat64);
  }
  return EvaluateReference(y.op(), ValuesOf(graph), y.attributes(), y.type());
}

std::vector<double> Bounds(const OpGraph& graph, const Tensor& formula) {
  const Node y = graph.y();
  std::vector<double> bounds;
  if (y.op().is_elementwise()) {
    // The formula in f64 is itself some units off where the op is not exact.
    const double ulp = y.op().samples().ulp, units = y.dtype() == DType::kFloat64 && ulp > 0 ? ulp + 4 : ulp;
    for (double value : formula.values<double>()) bounds.push_back(units * Spacing(value, y.dtype()));
    return bounds;
  }
  if (!IsFloating(y.dtype())) return std::vector<double>(static_cast<size_t>(formula.size()), 0);
  int64_t k = 1;
  std::vector<Tensor> magnitudes = y.op().traits.is_random ? std::vector<Tensor>{} : ValuesOf(graph);
  for (Tensor& operand : magnitudes) {
    k = std::max(k, operand.size());
    for (double& value : operand.values<double>()) value = std::abs(value);
  }
  const double epsilon = y.dtype() == DType::kFloat32 ? 0x1p-24 : 0x1p-53;
  const double gamma = (std::ceil(static_cast<double>(k) / 16) + 8) * epsilon;
  const Tensor terms = magnitudes.empty() ? formula : EvaluateReference(y.op(), magnitudes, y.attributes(), y.type());
  for (double value : terms.values<double>()) bounds.push_back(gamma * std::abs(value));
  return bounds;
}

}  // namespace weft
