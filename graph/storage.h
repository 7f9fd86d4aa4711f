// Where a graph keeps its nodes: in pieces of memory that are few, and never move.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace weft {

// A growing sequence whose elements stay where they are. (A std::deque does that, too, with two nodes a piece.)
template <class T>
class StableVector {
 public:
  size_t size() const { return pieces_.empty() ? 0 : (pieces_.size() - 1) * kPiece + pieces_.back().size(); }
  T& operator[](size_t i) { return pieces_[i / kPiece][i % kPiece]; }
  const T& operator[](size_t i) const { return pieces_[i / kPiece][i % kPiece]; }

  T& Append(T element) {
    if (pieces_.empty() || pieces_.back().size() == kPiece) pieces_.emplace_back().reserve(kPiece);
    return pieces_.back().emplace_back(std::move(element));
  }

 private:
  static constexpr size_t kPiece = 64;

  std::vector<std::vector<T>> pieces_;
};

// Short lists that are all given back at once.
template <class T>
class Arena {
 public:
  // Elements of no particular value.
  std::span<T> Take(size_t count) {
    if (pieces_.empty() || pieces_.back().free.size() < count) {
      const size_t size = std::max(count, kPiece);
      std::unique_ptr<T[]> elements = std::make_unique_for_overwrite<T[]>(size);
      const std::span<T> free(elements.get(), size);
      pieces_.push_back({.elements = std::move(elements), .free = free});
    }
    std::span<T>& free = pieces_.back().free;
    const std::span<T> taken = free.first(count);
    free = free.subspan(count);
    return taken;
  }

 private:
  static constexpr size_t kPiece = size_t{16} * 1024 / sizeof(T);

  struct Piece {
    std::unique_ptr<T[]> elements;
    std::span<T> free;
  };

  std::vector<Piece> pieces_;
};

}  // namespace weft
