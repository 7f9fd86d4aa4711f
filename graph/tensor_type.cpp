// Names and sizes of tensor types.
#include "weft/graph/tensor_type.h"

#include <fmt/format.h>

#include "weft/graph/error.h"

namespace weft {

std::string_view Name(ValueKind kind) {
  switch (kind) {
    case ValueKind::kPlain: return "plain";
    case ValueKind::kLogits: return "logits";
    case ValueKind::kProbability: return "probability";
    case ValueKind::kLogProbability: return "log probability";
    case ValueKind::kMask: return "mask";
  }
  return "";
}

std::string ToString(const TensorType& type) {
  std::string text = fmt::format("{}{}", Name(type.dtype), ToString(type.shape));
  if (type.kind != ValueKind::kPlain) text += fmt::format(" {}", Name(type.kind));
  return text;
}

int64_t ByteSize(DType dtype, const Shape& shape) {
  return ElementCount(shape) * static_cast<int64_t>(SizeOf(dtype));  // ≤ 2⁴³: see Shape::kMaxElements
}

int64_t PaddedByteSize(DType dtype, const Shape& shape) { return PaddedByteSize(ByteSize(dtype, shape)); }

int64_t PaddedByteSize(int64_t bytes) {
  if (bytes < 0 || bytes > INT64_MAX - 2 * kAlignment)
    throw ResourceError(fmt::format("PaddedByteSize: got {} bytes", bytes));
  return (bytes + kAlignment - 1) / kAlignment * kAlignment + kAlignment;
}

}  // namespace weft
