// How a type rule refuses, and how a formula is evaluated in plain loops.
#include "weft/graph/op.h"

#include <algorithm>

#include <fmt/format.h>

#include "weft/graph/error.h"

namespace weft {

void TypeContext::Fail(std::string_view reason) const {
  std::string sentence = fmt::format("{} '{}': {}", *op_.name, Escaped(name_.str()), reason);
  constexpr size_t kShown = 8;  // a concatenation may have thousands
  for (size_t i = 0; i < std::min(operands_.size(), kShown); ++i) {
    sentence += fmt::format("\n  operand {}  '{}'  {}", i, Escaped(operands_[i].name().str(), 100),
                            ToString(operands_[i].type()));
  }
  if (operands_.size() > kShown) sentence += fmt::format("\n  and {} more", operands_.size() - kShown);
  throw GraphError(sentence);
}

template <class Number>
// NOLINTNEXTLINE(misc-no-recursion): a formula of f64 tensors is asked for those, once
Values<Number> EvaluateFormula(const OpDef& op, std::span<const Values<Number>> operands, const Attributes& attributes,
                               const TensorType& result) {
  using Formula = Reference::Over<Number>;
  const typename Formula::Function& formula = op.formula->over<Number>();
  if (const auto* general = std::get_if<typename Formula::General>(&formula)) {
    return (*general)(operands, attributes, result);
  }
  Values<Number> output(result.shape);
  if (std::holds_alternative<Reference::Fixed>(formula)) {
    std::vector<Tensor> real;
    for (const Values<Number>& x : operands) {
      const auto to = real.emplace_back(DType::kFloat64, x.shape).template values<double>();
      for (size_t e = 0; e < to.size(); ++e) to[e] = static_cast<double>(x.elements[e]);
    }
    const Tensor fixed = EvaluateReference(op, real, attributes, result);
    output = Values<Number>(fixed.shape());
    std::ranges::copy(fixed.values<double>(), output.elements.begin());
    return output;
  }
  for (size_t e = 0; e < output.elements.size(); ++e) {
    struct Evaluate {
      std::span<const Values<Number>> x;
      size_t e;
      const Attributes& attributes;
      Number operator()(typename Formula::Unary f) const { return f(x[0].elements[e]); }
      Number operator()(typename Formula::Binary f) const { return f(x[0].elements[e], x[1].elements[e]); }
      Number operator()(typename Formula::Ternary f) const {
        return f(x[0].elements[e], x[1].elements[e], x[2].elements[e]);
      }
      Number operator()(typename Formula::WithAttributes f) const { return f(x[0].elements[e], attributes); }
      Number operator()(...) const { return {}; }  // handled above
    };
    output.elements[e] = std::visit(Evaluate{operands, e, attributes}, formula);
  }
  return output;
}

template Values<double> EvaluateFormula(const OpDef&, std::span<const Values<double>>, const Attributes&,
                                        const TensorType&);
template Values<Complex> EvaluateFormula(const OpDef&, std::span<const Values<Complex>>, const Attributes&,
                                         const TensorType&);

// NOLINTNEXTLINE(misc-no-recursion): as above
Tensor EvaluateReference(const OpDef& op, std::span<const Tensor> operands, const Attributes& attributes,
                         const TensorType& result) {
  const auto& formula = op.formula->over<double>();
  if (const auto* fixed = std::get_if<Reference::Fixed>(&formula)) return (*fixed)(operands, attributes, result);
  std::vector<Values<double>> values;
  for (const Tensor& operand : operands) {
    std::ranges::copy(operand.values<double>(), values.emplace_back(operand.shape()).elements.begin());
  }
  const auto output = EvaluateFormula<double>(op, values, attributes, result);
  return Tensor::Of<double>(output.shape, output.elements);
}

}  // namespace weft
