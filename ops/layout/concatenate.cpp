// Concatenate(parts) = the parts one behind the other along attribute "axis".
#include <algorithm>
#include <cstring>

#include "weft/ops/all_ops.h"
#include "weft/ops/element_blocks.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

// Of one row of `shape`: all elements from the axis on.
int64_t RowElements(const Shape& shape, size_t axis) {
  return ElementCount(std::span(shape.begin(), shape.rank()).subspan(axis));
}

int64_t RowBytes(const TensorType& type, size_t axis) {
  return RowElements(type.shape, axis) * static_cast<int64_t>(SizeOf(type.dtype));
}

// numbers = {bytes of the result, then the bytes of a row of each part}: a row of the result is a row of each part.
void CopyBlocks(const StepArguments& step, uint32_t begin, uint32_t end) {
  const std::span<const int64_t> parts = step.numbers.subspan(1);
  int64_t row_bytes = 0;
  for (int64_t bytes : parts) row_bytes += bytes;
  const auto bytes_per_block = kElementsPerBlock * static_cast<int64_t>(SizeOf(step.dtype));
  int64_t at = std::min(step.numbers[0], begin * bytes_per_block);
  const int64_t stop = std::min(step.numbers[0], end * bytes_per_block);
  while (at < stop) {
    int64_t column = at % row_bytes;
    const int64_t row = at / row_bytes;
    for (size_t i = 0; i < parts.size() && at < stop; ++i) {
      if (column >= parts[i]) {  // the block begins behind this part
        column -= parts[i];
        continue;
      }
      const int64_t count = std::min(parts[i] - column, stop - at);
      std::memcpy(step.writes[0] + at, step.reads[i] + row * parts[i] + column, static_cast<size_t>(count));
      at += count;
      column = 0;
    }
  }
}

TensorType TypeOfParts(const TypeContext& context) {
  context.Require(context.operand_count() > 0, "got no operand, expected one or more");
  TensorType type = context.operand(0);
  const auto axis = static_cast<size_t>(context.attributes().Get<int64_t>("axis"));
  context.Require(axis < type.shape.rank(), "the axis is outside the operands' shape");
  std::vector<Dim> dims(type.shape.begin(), type.shape.end());
  for (size_t i = 1; i < context.operand_count(); ++i) {
    const TensorType& part = context.operand(i);
    context.Require(part.dtype == type.dtype, "operands of different element types");
    context.Require(part.shape.rank() == dims.size(), "operands of different ranks");
    for (size_t a = 0; a < dims.size(); ++a) {
      context.Require(a == axis || part.shape[a] == dims[a], "operands of different lengths beside the axis");
    }
    context.Require(!dims[axis].is_batch() && !part.shape[axis].is_batch(),
                    "got the axis of the batch size N, which has no known length");
    const int64_t length = part.shape[axis].length();
    context.Require(length <= Shape::kMaxElements && dims[axis].length() <= Shape::kMaxElements - length,
                    "the result is beyond the limit of elements");
    dims[axis] = dims[axis].length() + length;
    if (part.kind != type.kind) type.kind = ValueKind::kPlain;
  }
  type.shape = Shape(dims);
  return type;
}

}  // namespace

constinit const OpDef kConcatenate = {
    .name = "Concatenate",
    .arity = kVariadic,
    .type = TypeOfParts,
    .formula =
        [](auto parts, const Attributes& attributes, const TensorType& result) {
          const auto axis = static_cast<size_t>(attributes.Get<int64_t>("axis"));
          auto joined = parts[0];
          joined.shape = result.shape;
          joined.elements.clear();
          for (int64_t row = 0; std::ssize(joined.elements) < ElementCount(result.shape); ++row) {
            for (const auto& part : parts) {
              const auto length = RowElements(part.shape, axis);
              const auto begin = part.elements.begin() + row * length;
              joined.elements.insert(joined.elements.end(), begin, begin + length);
            }
          }
          return joined;
        },
    // Each part gets back what lies in its place.
    .gradient = [](const GradientContext& c) -> Contributions {
      const size_t parts = c.output().operands().size();
      if (parts == 1) return {c.output_gradient()};  // whose axis may be N
      const auto axis = c.attributes().Get<int64_t>("axis");
      Contributions contributions(parts);
      int64_t begin = 0;
      for (size_t i = 0; i < parts; ++i) {
        const int64_t end = begin + c.operand(i).shape()[static_cast<size_t>(axis)].length();
        if (c.Needs(i)) contributions[i] = Slice(c.output_gradient(), axis, begin, end);
        begin = end;
      }
      return contributions;
    },
    .lower = InSteps{[](LoweringContext& context) {
      const auto axis = static_cast<size_t>(context.attributes.Get<int64_t>("axis"));
      StepSpec step = {.run = CopyBlocks,
                       .writes = {StepBuffer::kResult},
                       .numbers = {ByteSize(context.result.dtype, context.result.shape)},
                       .blocks = BlocksOfElements(ElementCount(context.result.shape)),
                       .block_cycles = kElementsPerBlock};
      for (uint32_t i = 0; i < context.operands.size(); ++i) {
        step.reads.push_back(OperandBuffer(i));
        step.numbers.push_back(RowBytes(context.operands[i], axis));
      }
      context.steps.push_back(std::move(step));
    }},
    .samples =
        [] {
          SampleSet set;
          const auto add = [&set](std::vector<Shape> parts, int64_t axis) {
            set.samples.push_back({.operands = std::move(parts), .attributes = {{"axis", axis}}});
          };
          add({{3}, {4}}, 0);
          add({{2, 3}, {1, 3}, {4, 3}}, 0);
          add({{2, 3}, {2, 1}, {2, 0}, {2, 2}}, 1);
          add({{2, 2, 3}, {2, 1, 3}}, 1);
          add({{5, 2}}, 1);
          add({{0, 2}, {0, 3}}, 1);
          return set;
        },
};

Node Concatenate(const std::vector<Node>& parts, int64_t axis) {
  if (parts.empty()) throw GraphError("Concatenate: got no parts, expected one or more");
  const auto at = static_cast<int64_t>(NormalizedAxis(axis, parts[0].shape().rank()));
  return parts.size() == 1 ? parts[0] : parts[0].graph().Add(kConcatenate, parts, {{"axis", at}});
}

}  // namespace weft
