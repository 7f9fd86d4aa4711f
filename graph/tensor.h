// Tensor: an owned value in row-major order, 64-byte aligned and padded so that kernels may work in whole vectors.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "weft/graph/error.h"
#include "weft/graph/tensor_type.h"

namespace weft {

class Tensor {
 public:
  Tensor() = default;                       // an empty f32[0]
  Tensor(DType dtype, const Shape& shape);  // zeros; throws GraphError for N, ResourceError above the limits
  Tensor(const Tensor& other);
  Tensor& operator=(const Tensor& other);
  Tensor(Tensor&& other) noexcept { Swap(other); }  // leaves an empty f32[0]
  Tensor& operator=(Tensor&& other) noexcept {
    Tensor taken(std::move(other));
    Swap(taken);
    return *this;
  }
  ~Tensor() = default;

  // Copies `values`; throws GraphError if their number is not that of the shape.
  template <class T>
  static Tensor Of(const Shape& shape, std::span<const T> values);
  template <class T>
  static Tensor Of(const Shape& shape, std::initializer_list<T> values) {
    return Of(shape, std::span<const T>(values.begin(), values.size()));
  }
  template <class T>
  static Tensor Scalar(T value) {
    return Of<T>({}, std::span<const T>(&value, 1));
  }

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  TensorType type() const { return {.dtype = dtype_, .shape = shape_}; }
  int64_t size() const { return size_; }                                 // elements
  std::span<std::byte> bytes() { return {memory_.get(), byte_size()}; }  // without the padding
  std::span<const std::byte> bytes() const { return {memory_.get(), byte_size()}; }

  // Throws GraphError if T is not the element type.
  template <class T>
  std::span<T> values() {
    return {reinterpret_cast<T*>(Checked(kDTypeOf<T>)), static_cast<size_t>(size_)};
  }
  template <class T>
  std::span<const T> values() const {
    return {reinterpret_cast<const T*>(Checked(kDTypeOf<T>)), static_cast<size_t>(size_)};
  }

  // The same elements under another shape of the same size.
  Tensor Reshaped(const Shape& shape) const;
  // The elements converted one by one; bool becomes 0 or 1, anything but 0 becomes true; i64 is rounded towards 0 and
  // ends at its limits, NaN becomes 0 in it.
  Tensor Cast(DType dtype) const;
  // Rows `begin` … `end` of the first axis. Throws GraphError for a range outside, or a scalar.
  Tensor Rows(int64_t begin, int64_t end) const;

  bool operator==(const Tensor& other) const;  // type and bits

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept;
  };
  void Swap(Tensor& other) noexcept {
    std::swap(dtype_, other.dtype_);
    std::swap(shape_, other.shape_);
    std::swap(size_, other.size_);
    memory_.swap(other.memory_);
  }
  size_t byte_size() const { return static_cast<size_t>(size_) * SizeOf(dtype_); }
  std::byte* Checked(DType dtype) const;

  DType dtype_ = DType::kFloat32;
  Shape shape_ = {0};
  int64_t size_ = 0;
  std::unique_ptr<std::byte[], Free> memory_;
};

template <class T>
Tensor Tensor::Of(const Shape& shape, std::span<const T> values) {
  Tensor tensor(kDTypeOf<T>, shape);
  if (static_cast<int64_t>(values.size()) != tensor.size()) {
    throw GraphError("Tensor: got " + std::to_string(values.size()) + " values, expected " +
                     std::to_string(tensor.size()) + " for " + ToString(shape));
  }
  std::copy(values.begin(), values.end(), tensor.values<T>().begin());
  return tensor;
}

}  // namespace weft
