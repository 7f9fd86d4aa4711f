// Cast(x) = x as elements of attribute "dtype". A bool becomes 0 or 1, anything but 0 becomes true; towards i64 a
// number is cut to its integer part, NaN becomes 0 and what is out of range becomes the nearest end.
#include <algorithm>
#include <cmath>

#include "weft/ops/all_ops.h"
#include "weft/ops/element_blocks.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

template <class To, class From>
To Converted(From value) {
  if constexpr (std::is_same_v<To, int64_t> && std::is_floating_point_v<From>) {
    constexpr From kEnd = From{9223372036854775808.0};  // 2⁶³, one past the largest
    if (std::isnan(value)) return 0;
    return value >= kEnd ? INT64_MAX : value < -kEnd ? INT64_MIN : static_cast<int64_t>(value);
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From{};
  } else {
    return static_cast<To>(value);
  }
}

// Calls `function` with a value of the element type `dtype`.
template <class Function>
void WithElementType(DType dtype, const Function& function) {
  switch (dtype) {
    case DType::kFloat32: return function(float{});
    case DType::kFloat64: return function(double{});
    case DType::kInt64: return function(int64_t{});
    case DType::kBool: return function(bool{});
  }
}

// numbers = {elements, dtype of the operand}
void CastBlocks(const StepArguments& step, uint32_t begin, uint32_t end) {
  const ElementRange range = ElementsOfBlocks(step.numbers[0], begin, end);
  WithElementType(static_cast<DType>(step.numbers[1]), [&](auto from) {
    WithElementType(step.dtype, [&](auto to) {
      using From = decltype(from);
      using To = decltype(to);
      const From* in = reinterpret_cast<const From*>(step.reads[0]);
      std::transform(in + range.begin, in + range.end, reinterpret_cast<To*>(step.writes[0]) + range.begin,
                     Converted<To, From>);
    });
  });
}

}  // namespace

constinit const OpDef kCast = {
    .name = "Cast",
    .arity = 1,
    .type = [](const TypeContext& context) -> TensorType {
      TensorType type = context.operand(0);
      type.dtype = context.attributes().Get<DType>("dtype");
      if (!IsFloating(type.dtype) || !IsFloating(context.operand(0).dtype)) type.kind = ValueKind::kPlain;
      return type;
    },
    // Between floating-point types the number itself: the rounding is no part of the function.
    .formula =
        [](auto x, const Attributes&, const TensorType& result) {
          auto converted = x[0];
          for (auto& value : converted.elements) {
            if (result.dtype == DType::kInt64)
              value = static_cast<double>(Converted<int64_t>(static_cast<double>(value)));
            if (result.dtype == DType::kBool) value = value != 0 ? 1 : 0;
          }
          return converted;
        },
    // Only a floating-point number moves with its operand.
    .gradient = [](const GradientContext& c) -> Contributions {
      const DType from = c.operand(0).dtype();
      if (!IsFloating(from) || !IsFloating(c.output().dtype())) return {std::nullopt};
      return {Cast(c.output_gradient(), from)};
    },
    .lower = InSteps{[](LoweringContext& context) {
      const int64_t elements = ElementCount(context.result.shape);
      context.steps.push_back({.run = CastBlocks,
                               .reads = {OperandBuffer(0)},
                               .writes = {StepBuffer::kResult},
                               .numbers = {elements, static_cast<int64_t>(context.operands[0].dtype)},
                               .blocks = BlocksOfElements(elements),
                               .block_cycles = kElementsPerBlock});
    }},
    .samples =
        [] {
          SampleSet set;
          for (DType dtype : kAllDTypes) {
            for (const Shape& shape : {Shape{}, Shape{3, 11}, Shape{0, 2}}) {
              set.samples.push_back({.operands = {shape}, .attributes = {{"dtype", dtype}}});
            }
          }
          return set;
        },
    .simplify = [](Node node) -> std::optional<Node> {
      if (node.operand(0).dtype() != node.dtype()) return std::nullopt;
      return node.operand(0);
    },
};

Node Cast(Node x, DType dtype) { return x.dtype() == dtype ? x : x.graph().Add(kCast, {x}, {{"dtype", dtype}}); }

}  // namespace weft
