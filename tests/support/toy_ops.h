// Ops without kernels, for tests that look at graphs and never run them.
//
//   constexpr OpDef kRelu = ToyOp("Relu", 1);
#pragma once

#include <string_view>

#include "weft/graph/op.h"

namespace weft {

// Attributes dtype, shape → the type. Without operands.
TensorType ToySourceType(const TypeContext& context);
// The type of operand 0, of a plain kind; all operands must have its dtype and shape.
TensorType ToyElementwiseType(const TypeContext& context);
Contributions ToyGradient(const GradientContext& context);

constexpr OpDef ToyOp(std::string_view name, int arity, Lowering lower, TypeRule type, OpTraits traits = {}) {
  return {.name = name,
          .arity = arity,
          .type = type,
          .formula = [](double x) { return x; },
          .gradient = ToyGradient,
          .lower = lower,
          .samples = []() -> SampleSet { return {}; },
          .traits = traits};
}

constexpr OpDef ToyOp(std::string_view name, int arity) {
  return ToyOp(name, arity, PerBlock{nullptr}, ToyElementwiseType);
}

inline constexpr OpDef kToyInput = ToyOp("Placeholder", 0, Source{SourceKind::kPlaceholder}, ToySourceType);
inline constexpr OpDef kToyVariable = ToyOp("Variable", 0, Source{SourceKind::kVariable}, ToySourceType);
inline constexpr OpDef kToyUnary = ToyOp("Unary", 1);
inline constexpr OpDef kToyBinary = ToyOp("Binary", 2);
inline constexpr OpDef kToyConcat = ToyOp("Concat", kVariadic);

const OpDef* FindToyOp(std::string_view name);  // one of those above, or nullptr

Node ToyInput(Graph& graph, std::string_view name, const Shape& shape = {}, DType dtype = DType::kFloat32);
Node ToyVariable(Graph& graph, std::string_view name, const Shape& shape = {}, DType dtype = DType::kFloat32);
Node ToyUnary(Node x);
Node ToyBinary(Node a, Node b);

// x → Unary → Unary → …, `length` nodes in a row.
void ToyChain(Graph& graph, size_t length);

}  // namespace weft
