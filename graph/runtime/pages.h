// Pages: memory that lives long, in pages of the system that are as large as it has them.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "weft/graph/tensor.h"

namespace weft {

// Zeros, aligned like a tensor. A page costs nothing until it is used.
class Pages {
 public:
  Pages() = default;
  explicit Pages(size_t bytes);  // throws std::bad_alloc
  ~Pages();
  Pages(Pages&& other) noexcept { Swap(other); }
  Pages& operator=(Pages&& other) noexcept {
    Pages taken(std::move(other));
    Swap(taken);
    return *this;
  }

  std::span<std::byte> bytes() const { return bytes_; }

 private:
  void Swap(Pages& other) noexcept {
    std::swap(small_, other.small_);
    std::swap(bytes_, other.bytes_);
  }

  Tensor small_;  // less than what the system gives pages for
  std::span<std::byte> bytes_;
};

}  // namespace weft
