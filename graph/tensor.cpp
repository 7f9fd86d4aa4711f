// Memory and conversions of Tensor.
#include "weft/graph/tensor.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>

#include <fmt/format.h>

#include "weft/graph/floating_point.h"

namespace weft {
namespace {

// Calls `visit` with a typed span of the elements.
template <class Visit>
void VisitValues(const Tensor& tensor, const Visit& visit) {
  switch (tensor.dtype()) {
    case DType::kFloat32: return visit(tensor.values<float>());
    case DType::kFloat64: return visit(tensor.values<double>());
    case DType::kInt64: return visit(tensor.values<int64_t>());
    case DType::kBool: return visit(tensor.values<bool>());
  }
}

// A conversion to an integer that is defined for all numbers: C++ leaves open what becomes of NaN and of 1e300.
template <class To, class From>
To Converted(From value) {
  if constexpr (std::is_same_v<To, int64_t> && std::is_floating_point_v<From>) {
    constexpr From kLimit = 0x1p63;  // exact in f32 and f64, one more than the largest i64
    if (std::isnan(value)) return 0;
    if (value >= kLimit) return INT64_MAX;
    if (value < -kLimit) return INT64_MIN;
  }
  return static_cast<To>(value);
}

// In front of a tensor's bytes: where the block begins that they lie in.
struct Block {
  void* address;
  bool is_large;
};

// From here on calloc gives fresh pages of the system (glibc's threshold for mmap). They are zero and nobody touches
// them, so a tensor costs its memory only once it is used.
constexpr size_t kLargeBytes = size_t{128} * 1024;

std::byte* AllocateZeros(size_t bytes) {
  constexpr size_t kBlockAlignment = 16;  // of new and calloc: the least distance to the next multiple of 64
  static_assert(sizeof(Block) <= kBlockAlignment && __STDCPP_DEFAULT_NEW_ALIGNMENT__ >= kBlockAlignment &&
                alignof(std::max_align_t) >= kBlockAlignment);
  const bool is_large = bytes >= kLargeBytes;
  const Block block = {is_large ? std::calloc(bytes + kAlignment, 1) : ::operator new(bytes + kAlignment), is_large};
  if (block.address == nullptr) throw std::bad_alloc();
  std::byte* const memory =
      static_cast<std::byte*>(block.address) + kAlignment - reinterpret_cast<uintptr_t>(block.address) % kAlignment;
  if (!is_large) std::memset(memory, 0, bytes);
  std::memcpy(memory - sizeof(block), &block, sizeof(block));
  return memory;
}

void FreeZeros(const std::byte* memory) noexcept {
  Block block;
  std::memcpy(&block, memory - sizeof(block), sizeof(block));
  if (block.is_large) std::free(block.address);
  else ::operator delete(block.address);
}

template <class To>
void Convert(const Tensor& from, std::span<To> to) {
  VisitValues(from, [to](auto values) {
    std::transform(values.begin(), values.end(), to.begin(), [](auto v) { return Converted<To>(v); });
  });
}

}  // namespace

void Tensor::Free::operator()(std::byte* memory) const noexcept { FreeZeros(memory); }

Tensor::Tensor(DType dtype, const Shape& shape) : dtype_(dtype), shape_(shape), size_(ElementCount(shape)) {
  const auto padded = static_cast<size_t>(PaddedByteSize(dtype, shape));
  memory_.reset(AllocateZeros(padded));
}

Tensor::Tensor(const Tensor& other) : Tensor(other.dtype_, other.shape_) {
  if (size_ > 0) std::memcpy(memory_.get(), other.memory_.get(), byte_size());
}

Tensor& Tensor::operator=(const Tensor& other) {
  if (this != &other) *this = Tensor(other);
  return *this;
}

Tensor Tensor::Reshaped(const Shape& shape) const {
  if (ElementCount(shape) != size_)
    throw GraphError(
        fmt::format("Reshaped: got {}, expected {} elements as in {}", ToString(shape), size_, ToString(shape_)));
  Tensor result = *this;
  result.shape_ = shape;
  return result;
}

Tensor Tensor::Cast(DType dtype) const {
  const DefaultFloatingPoint rounding;
  Tensor result(dtype, shape_);
  switch (dtype) {
    case DType::kFloat32: Convert(*this, result.values<float>()); break;
    case DType::kFloat64: Convert(*this, result.values<double>()); break;
    case DType::kInt64: Convert(*this, result.values<int64_t>()); break;
    case DType::kBool: Convert(*this, result.values<bool>()); break;
  }
  return result;
}

Tensor Tensor::Rows(int64_t begin, int64_t end) const {
  if (shape_.rank() == 0) throw GraphError("Rows: got a scalar, expected at least one axis");
  const int64_t rows = shape_[0].length();
  if (begin < 0 || begin > end || end > rows)
    throw GraphError(fmt::format("Rows: got {} … {}, expected a range within 0 … {}", begin, end, rows));
  std::array<Dim, Shape::kMaxRank> dims = {0, 0, 0, 0, 0, 0};
  std::copy(shape_.begin(), shape_.end(), dims.begin());
  dims[0] = end - begin;
  Tensor result(dtype_, Shape(std::span(dims.data(), shape_.rank())));
  if (result.size_ > 0) {
    const size_t row_bytes = byte_size() / static_cast<size_t>(rows);
    std::memcpy(result.memory_.get(), memory_.get() + static_cast<size_t>(begin) * row_bytes, result.byte_size());
  }
  return result;
}

bool Tensor::operator==(const Tensor& other) const {
  return dtype_ == other.dtype_ && shape_ == other.shape_ &&
         (size_ == 0 || std::memcmp(memory_.get(), other.memory_.get(), byte_size()) == 0);
}

std::byte* Tensor::Checked(DType dtype) const {
  if (dtype != dtype_)
    throw GraphError(fmt::format("Tensor: values read as {}, but they are {}", Name(dtype), Name(dtype_)));
  return memory_.get();
}

}  // namespace weft
