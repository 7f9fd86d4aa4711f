// Operands for libraries that take addresses.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "weft/tests/benchmarks/products.h"

class PlainProduct : public Product {
 public:
  PlainProduct(const ProductShape& shape, int copies) : shape_(shape) {
    for (int copy = 0; copy < copies; ++copy)
      matrices_.push_back(
          {Matrix(shape.rows * shape.depth), Matrix(shape.depth * shape.columns), Matrix(shape.rows * shape.columns)});
  }
  void SetOperands(int copy, std::span<const float> left, std::span<const float> right) final {
    std::ranges::copy(left, this->left(copy));
    std::ranges::copy(right, this->right(copy));
  }
  std::span<const float> result(int copy) final { return {At(copy).result.data(), At(copy).result.size()}; }

 protected:
  float* left(int copy) { return At(copy).left.data(); }
  float* right(int copy) { return At(copy).right.data(); }
  float* result_of(int copy) { return At(copy).result.data(); }
  const ProductShape shape_;

 private:
  class Matrix {
   public:
    explicit Matrix(int64_t size)
        : size_(static_cast<size_t>(size)),
          data_(static_cast<float*>(std::aligned_alloc(kPage, (size_ * sizeof(float) / kPage + 1) * kPage)),
                std::free) {
      if (data_ == nullptr) throw std::bad_alloc();
      std::fill_n(data_.get(), size_, 0.0F);
    }
    float* data() { return data_.get(); }
    size_t size() const { return size_; }

   private:
    static constexpr size_t kPage = 4096;
    size_t size_;
    std::unique_ptr<float, decltype(&std::free)> data_;
  };
  struct Matrices {
    Matrix left, right, result;
  };
  Matrices& At(int copy) { return matrices_[static_cast<size_t>(copy)]; }
  std::vector<Matrices> matrices_;
};
