// How a type rule refuses, and how a formula is evaluated in plain loops.
#include "weft/graph/op.h"

#include <fmt/format.h>

#include "weft/graph/error.h"

namespace weft {

void TypeContext::Fail(std::string_view reason) const {
  std::string sentence = fmt::format("{} '{}': {}", *op_.name, Escaped(name_.str()), reason);
  for (size_t i = 0; i < operands_.size(); ++i) {
    sentence +=
        fmt::format("\n  operand {}  '{}'  {}", i, Escaped(operands_[i].name().str()), ToString(operands_[i].type()));
  }
  throw GraphError(sentence);
}

Tensor EvaluateReference(const OpDef& op, std::span<const Tensor> operands, const Attributes& attributes,
                         const TensorType& result) {
  const Reference::Function& formula = op.formula->function();
  if (const auto* general = std::get_if<Reference::General>(&formula)) return (*general)(operands, attributes, result);
  Tensor output(DType::kFloat64, result.shape);
  const auto values = output.values<double>();
  const auto operand = [&](size_t i, size_t element) { return operands[i].values<double>()[element]; };
  for (size_t e = 0; e < values.size(); ++e) {
    struct Evaluate {
      const decltype(operand)& x;
      size_t e;
      const Attributes& attributes;
      double operator()(Reference::Unary f) const { return f(x(0, e)); }
      double operator()(Reference::Binary f) const { return f(x(0, e), x(1, e)); }
      double operator()(Reference::Ternary f) const { return f(x(0, e), x(1, e), x(2, e)); }
      double operator()(Reference::WithAttributes f) const { return f(x(0, e), attributes); }
      double operator()(Reference::General) const { return 0; }  // handled above
    };
    values[e] = std::visit(Evaluate{operand, e, attributes}, formula);
  }
  return output;
}

}  // namespace weft
