// Shapes: up to six dimensions, each a number or the symbolic batch size N.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>

namespace weft {

// A length, or the batch size N that is known only when a graph is bound.
class Dim {
 public:
  constexpr Dim(int64_t length) : length_(length) {}       // implicit: {kBatch, 784} reads as a shape
  static constexpr Dim Batch() { return Dim(kSymbolic); }  // the symbol N

  constexpr bool is_batch() const { return length_ == kSymbolic; }
  constexpr int64_t length() const { return length_; }  // meaningless for the batch size
  constexpr bool operator==(const Dim&) const = default;

 private:
  static constexpr int64_t kSymbolic = INT64_MIN;
  int64_t length_;
};

inline constexpr Dim kBatch = Dim::Batch();

class Shape {
 public:
  static constexpr size_t kMaxRank = 6;
  // 2⁴⁰ elements are 4 TiB of f32: above any machine this is built for, below any overflow of a product of two sizes.
  static constexpr int64_t kMaxElements = int64_t{1} << 40;

  Shape() = default;                       // a scalar
  Shape(std::initializer_list<Dim> dims);  // throws as below
  // Throws GraphError: rank above kMaxRank, negative length; ResourceError: length above kMaxElements.
  explicit Shape(std::span<const Dim> dims);

  size_t rank() const { return rank_; }
  Dim operator[](size_t axis) const { return dims_[axis]; }
  const Dim* begin() const { return dims_.data(); }
  const Dim* end() const { return dims_.data() + rank_; }
  bool is_bound() const;             // no N left
  Shape Bound(int64_t batch) const;  // N replaced by a number; throws as the constructor
  bool operator==(const Shape& other) const;

 private:
  std::array<Dim, kMaxRank> dims_ = {0, 0, 0, 0, 0, 0};
  size_t rank_ = 0;
};

// "[N, 784]"
std::string ToString(const Shape& shape);

// The common shape by NumPy's rule (aligned at the last axis, 1 stretches, N only with N and 1), or nothing.
std::optional<Shape> Broadcast(const Shape& left, const Shape& right);

// The product of the lengths: the only place where sizes are multiplied.
// Throws GraphError if N is not bound, ResourceError above Shape::kMaxElements.
int64_t ElementCount(const Shape& shape);
int64_t ElementCount(std::span<const Dim> dims);

// "1, −1 is the last": `axis` counted from the front. Throws GraphError if it is outside the shape.
size_t NormalizedAxis(int64_t axis, size_t rank);

}  // namespace weft
