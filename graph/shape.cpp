// Shapes and the one checked product of lengths.
#include "weft/graph/shape.h"

#include <algorithm>

#include <fmt/format.h>

#include "weft/graph/error.h"

namespace weft {
namespace {

std::string Text(std::span<const Dim> dims) {
  std::string text = "[";
  for (const Dim& dim : dims) {
    if (text.size() > 1) text += ", ";
    text += dim.is_batch() ? "N" : std::to_string(dim.length());
  }
  return text + "]";
}

}  // namespace

Shape::Shape(std::initializer_list<Dim> dims) : Shape(std::span(dims.begin(), dims.size())) {}

Shape::Shape(std::span<const Dim> dims) : rank_(dims.size()) {
  if (rank_ > kMaxRank) throw GraphError(fmt::format("Shape: got rank {}, expected at most {}", rank_, kMaxRank));
  for (size_t axis = 0; axis < rank_; ++axis) {
    if (!dims[axis].is_batch() && dims[axis].length() < 0) {
      throw GraphError(fmt::format("Shape: got length {} at axis {}, expected 0 or more", dims[axis].length(), axis));
    }
    if (dims[axis].length() > kMaxElements) {
      throw ResourceError(
          fmt::format("Shape: got length {} at axis {}, expected at most {}", dims[axis].length(), axis, kMaxElements));
    }
    dims_[axis] = dims[axis];
  }
}

bool Shape::is_bound() const {
  return std::none_of(begin(), end(), [](Dim dim) { return dim.is_batch(); });
}

Shape Shape::Bound(int64_t batch) const {
  if (batch < 0)
    throw GraphError(fmt::format("Shape: {}: got batch size {}, expected 0 or more", ToString(*this), batch));
  if (batch > kMaxElements) {
    throw ResourceError(
        fmt::format("Shape: {}: got batch size {}, expected at most {}", ToString(*this), batch, kMaxElements));
  }
  Shape bound = *this;
  std::replace(bound.dims_.begin(), bound.dims_.begin() + rank_, kBatch, Dim(batch));
  return bound;
}

bool Shape::operator==(const Shape& other) const { return std::equal(begin(), end(), other.begin(), other.end()); }

std::string ToString(const Shape& shape) { return Text(std::span(shape.begin(), shape.rank())); }

std::optional<Shape> Broadcast(const Shape& left, const Shape& right) {
  const size_t rank = std::max(left.rank(), right.rank());
  std::array<Dim, Shape::kMaxRank> dims = {1, 1, 1, 1, 1, 1};
  for (size_t i = 0; i < rank; ++i) {  // i counts from the last axis
    const Dim l = i < left.rank() ? left[left.rank() - 1 - i] : Dim(1);
    const Dim r = i < right.rank() ? right[right.rank() - 1 - i] : Dim(1);
    if (l != r && l != Dim(1) && r != Dim(1)) return std::nullopt;
    dims[rank - 1 - i] = l == Dim(1) ? r : l;
  }
  return Shape(std::span(dims.data(), rank));
}

int64_t ElementCount(const Shape& shape) { return ElementCount(std::span(shape.begin(), shape.rank())); }

int64_t ElementCount(std::span<const Dim> dims) {
  if (std::find(dims.begin(), dims.end(), kBatch) != dims.end()) {
    throw GraphError(fmt::format("ElementCount: {}: the batch size N is not bound yet", Text(dims)));
  }
  if (std::find(dims.begin(), dims.end(), Dim(0)) != dims.end()) return 0;
  int64_t count = 1;
  for (const Dim& dim : dims) {
    if (dim.length() < 0)
      throw GraphError(fmt::format("ElementCount: got length {}, expected 0 or more", dim.length()));
    if (dim.length() > Shape::kMaxElements / count) {
      throw ResourceError(
          fmt::format("ElementCount: {}: got more than {} elements, the limit", Text(dims), Shape::kMaxElements));
    }
    count *= dim.length();
  }
  return count;
}

size_t NormalizedAxis(int64_t axis, size_t rank) {
  const auto limit = static_cast<int64_t>(rank);
  if (rank == 0) throw GraphError(fmt::format("axis: got {}, but a scalar has none", axis));
  if (axis < -limit || axis >= limit) {
    throw GraphError(fmt::format("axis: got {}, expected {} … {} for rank {}", axis, -limit, limit - 1, rank));
  }
  return static_cast<size_t>(axis < 0 ? axis + limit : axis);
}

}  // namespace weft
