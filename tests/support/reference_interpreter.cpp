// Formulas, one after the other.
#include "weft/tests/support/reference_interpreter.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "weft/graph/error.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

constexpr double kStep = 1e-20;

template <class Number>
class Interpreter {
 public:
  using Fed = std::map<NodeId, Values<Number>>;
  // The value of a node from those of its operands.
  using Evaluate = Values<Number> (*)(const OpDef&, std::span<const Values<Number>>, const Attributes&,
                                      const TensorType& result);

  Interpreter(Graph& graph, Fed feeds, const InterpretOptions& options, Evaluate evaluate = EvaluateFormula<Number>)
      : graph_(graph), feeds_(std::move(feeds)), options_(options), evaluate_(evaluate), values_(graph.size()) {
    for (const auto& [variable, value] : graph.initial_values()) initial_values_[variable] = value;
    for (auto feed = feeds_.begin(); options_.batch < 0 && feed != feeds_.end(); ++feed) {
      options_.batch = BatchOf(graph.type(feed->first).shape, feed->second.shape);
    }
  }

  // Each fetch through `shown`, as f64.
  template <class Shown>
  std::vector<Tensor> Run(std::span<const Node> fetches, const Shown& shown) {
    std::vector<bool> needed(graph_.size());
    for (const Node& fetch : fetches) needed[Index(fetch.id())] = true;
    for (uint32_t i = static_cast<uint32_t>(graph_.size()); i-- > 0;) {
      if (!needed[i]) continue;
      for (NodeId operand : Sources(NodeId{i})) needed[Index(operand)] = true;
    }
    for (uint32_t i = 0; i < graph_.size(); ++i) {
      if (needed[i]) values_[i] = Value(NodeId{i});
    }
    std::vector<Tensor> results;
    for (const Node& fetch : fetches) {
      const Values<Number>& value = *values_[Index(fetch.id())];
      Tensor& result = results.emplace_back(DType::kFloat64, value.shape);
      std::ranges::transform(value.elements, result.values<double>().begin(), shown);
    }
    return results;
  }

 private:
  static int64_t BatchOf(const Shape& symbolic, const Shape& fed) {
    for (size_t axis = 0; axis < std::min(symbolic.rank(), fed.rank()); ++axis) {
      if (symbolic[axis].is_batch()) return fed[axis].length();
    }
    return -1;
  }

  bool IsInitialised(NodeId id) const {
    return graph_.op(id).is_source(SourceKind::kVariable) && initial_values_.contains(id);
  }

  // What the value of a node is computed from.
  std::vector<NodeId> Sources(NodeId id) const {
    if (feeds_.contains(id)) return {};
    if (IsInitialised(id)) return {initial_values_.at(id)};
    const auto operands = graph_.operands(id);
    if (graph_.op(id).traits.chooses_by_mode) return {operands[options_.mode == Mode::kTraining ? 0 : 1]};
    return {operands.begin(), operands.end()};
  }

  Shape Bound(const Shape& shape) const { return options_.batch < 0 ? shape : shape.Bound(options_.batch); }

  [[noreturn]] void Fail(NodeId id, const std::string& reason) const {
    throw GraphError("InterpretReference: '" + graph_.name(id).str() + "': " + reason);
  }

  Values<Number> Value(NodeId id) {
    const OpDef& op = graph_.op(id);
    const TensorType result = {.dtype = graph_.type(id).dtype, .shape = Bound(graph_.type(id).shape)};
    Values<Number> value = Unchecked(id, op, result);
    if (value.shape != result.shape) {
      Fail(id, "got " + ToString(value.shape) + ", expected " + ToString(result.shape));
    }
    return value;
  }

  Values<Number> Unchecked(NodeId id, const OpDef& op, const TensorType& result) {
    if (const auto fed = feeds_.find(id); fed != feeds_.end()) return fed->second;
    std::vector<Values<Number>> operands;
    for (NodeId source : Sources(id)) {
      if (!values_[Index(source)]) Fail(id, "'" + graph_.name(source).str() + "' comes later");
      operands.push_back(*values_[Index(source)]);
    }
    if (IsInitialised(id) || op.traits.chooses_by_mode) return operands[0];
    if (op.is_source(SourceKind::kVariable)) Fail(id, "is not initialised");
    if (op.is_source(SourceKind::kPlaceholder) && graph_.attributes(id).Find("default") == nullptr) {
      Fail(id, "is not fed");
    }
    if (op.is_source(SourceKind::kRandomState)) {
      Values<Number> state(result.shape);
      state.elements = {static_cast<double>(options_.seed), static_cast<double>(options_.run)};
      return state;
    }
    Attributes attributes = graph_.attributes(id);
    for (const auto& [key, attribute] : graph_.attributes(id)) {
      if (const Shape* shape = std::get_if<Shape>(&attribute)) attributes.Set(key, Bound(*shape));
    }
    return evaluate_(op, operands, attributes, result);
  }

  Graph& graph_;
  Fed feeds_;
  InterpretOptions options_;
  Evaluate evaluate_;
  std::map<NodeId, NodeId> initial_values_;
  std::vector<std::optional<Values<Number>>> values_;
};

template <class Number>
Values<Number> Copied(const Tensor& tensor) {
  Values<Number> values(tensor.shape());
  std::ranges::copy(tensor.Cast(DType::kFloat64).values<double>(), values.elements.begin());
  return values;
}

template <class Number>
typename Interpreter<Number>::Fed Copied(const std::map<NodeId, Tensor>& feeds) {
  typename Interpreter<Number>::Fed fed;
  for (const auto& [id, value] : feeds) fed.emplace(id, Copied<Number>(value));
  return fed;
}

double SlopeOf(Complex z) { return z.im / kStep; }

// As EvaluateFormula, but that imaginary parts are sums of terms.
Values<Complex> EvaluateTerms(const OpDef& op, std::span<const Values<Complex>> x, const Attributes& attributes,
                              const TensorType& result) {
  // With the real parts or their absolute values, and every operand moved, or one of them.
  const auto moved = [&](bool absolute, size_t begin, size_t end) {
    std::vector<Values<Complex>> operands(x.begin(), x.end());
    for (size_t i = 0; i < operands.size(); ++i) {
      for (Complex& z : operands[i].elements) {
        z = {absolute ? std::abs(z.re) : z.re, begin <= i && i < end ? z.im * kStep : 0};
      }
    }
    return EvaluateFormula<Complex>(op, operands, attributes, result);
  };
  Values<Complex> value = moved(false, 0, 0);
  const auto add = [&](size_t e, double terms) { value.elements[e].im += std::abs(terms); };
  if (op.is_elementwise()) {
    for (size_t e = 0; e < value.elements.size(); ++e) add(e, value.elements[e].re);
    for (size_t i = 0; i < x.size(); ++i) {
      const Values<Complex> along = moved(false, i, i + 1);
      for (size_t e = 0; e < value.elements.size(); ++e) add(e, SlopeOf(along.elements[e]));
    }
    return value;
  }
  // What is moved, chosen, added and multiplied: with absolute values nothing cancels, but another may be chosen.
  const Values<Complex> as_is = moved(false, 0, x.size()), absolute = moved(true, 0, x.size());
  for (size_t e = 0; e < value.elements.size(); ++e) {
    add(e, absolute.elements[e].re);
    add(e, std::max(std::abs(SlopeOf(as_is.elements[e])), std::abs(SlopeOf(absolute.elements[e]))));
    // StopGradient: a fixed formula, whose result is its operand nevertheless.
    if (op.is_view() && as_is.elements[e].im == 0) add(e, x[0].elements[e].im);
  }
  return value;
}

}  // namespace

std::vector<Tensor> InterpretReference(Graph& graph, std::span<const Node> fetches,
                                       const std::map<NodeId, Tensor>& feeds, const InterpretOptions& options) {
  return Interpreter<double>(graph, Copied<double>(feeds), options).Run(fetches, std::identity());
}

std::vector<Tensor> InterpretSlopes(Graph& graph, std::span<const Node> fetches, const std::map<NodeId, Tensor>& feeds,
                                    const std::map<NodeId, Tensor>& directions, const InterpretOptions& options) {
  auto fed = Copied<Complex>(feeds);
  for (const auto& [id, direction] : directions) {
    std::vector<Complex>& elements = fed.at(id).elements;
    for (size_t e = 0; e < elements.size(); ++e) elements[e].im = kStep * direction.values<double>()[e];
  }
  return Interpreter<Complex>(graph, std::move(fed), options).Run(fetches, SlopeOf);
}

std::vector<Tensor> InterpretTerms(Graph& graph, std::span<const Node> fetches, const std::map<NodeId, Tensor>& feeds,
                                   const InterpretOptions& options) {
  return Interpreter<Complex>(graph, Copied<Complex>(feeds), options, EvaluateTerms).Run(fetches, [](Complex z) {
    return z.im;
  });
}

}  // namespace weft
