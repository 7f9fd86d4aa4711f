// What is known of a value before it is computed: element type, shape, and what its numbers mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "weft/graph/dtype.h"
#include "weft/graph/shape.h"

namespace weft {

// What the numbers mean, so that a sigmoid of a sigmoid or a loss on probabilities is found while the graph is built.
enum class ValueKind : uint8_t { kPlain, kLogits, kProbability, kLogProbability, kMask };

std::string_view Name(ValueKind kind);  // "logits"; "" for kPlain

struct TensorType {
  DType dtype = DType::kFloat32;
  Shape shape;
  ValueKind kind = ValueKind::kPlain;

  bool operator==(const TensorType&) const = default;
};

// "f32[N, 784]", with " probability" behind it where the kind is not plain.
std::string ToString(const TensorType& type);

// Bytes of the elements, without padding. Throws like ElementCount.
int64_t ByteSize(DType dtype, const Shape& shape);

// Vectors of up to 64 bytes are loaded and stored whole: a buffer is rounded up to 64 bytes and has 64 more behind it.
inline constexpr int64_t kAlignment = 64;
int64_t PaddedByteSize(DType dtype, const Shape& shape);
int64_t PaddedByteSize(int64_t bytes);

}  // namespace weft
