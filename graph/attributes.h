// Attributes of a node: an ordered list key → value. Equality, hash, printing and parsing are written once, here.
// Copies share the list until one of them is changed: a graph passes through many rooms, and few change its attributes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "weft/graph/tensor.h"

namespace weft {

// A tensor attribute (a constant's value) is shared, never changed.
using AttributeValue =
    std::variant<bool, int64_t, double, std::string, DType, Shape, std::vector<int64_t>, std::shared_ptr<const Tensor>>;

class Attributes {
 public:
  using Entry = std::pair<std::string, AttributeValue>;

  Attributes() = default;
  Attributes(std::initializer_list<Entry> entries);  // sorted by key; throws GraphError for a key given twice

  // The value under `key`; throws GraphError if there is none or it has another type.
  template <class T>
  const T& Get(std::string_view key) const {
    if (const T* value = std::get_if<T>(&At(key))) return *value;
    ThrowWrongType(key);
  }
  const AttributeValue* Find(std::string_view key) const;  // nullptr if there is none
  void Set(std::string_view key, AttributeValue value);

  auto begin() const { return entries().begin(); }
  auto end() const { return entries().end(); }
  bool empty() const { return entries().empty(); }
  size_t Hash() const;
  // Tensors are compared by bits, so two equal constants are equal attributes; floating-point values too (NaN = NaN, 0
  // ≠ −0).
  bool operator==(const Attributes& other) const;

 private:
  std::span<const Entry> entries() const { return entries_ == nullptr ? std::span<const Entry>() : *entries_; }
  const AttributeValue& At(std::string_view key) const;
  [[noreturn]] static void ThrowWrongType(std::string_view key);

  std::shared_ptr<const std::vector<Entry>> entries_;  // none: empty
};

// "alpha=0.2 axes=(0, 1) shape=[N, 784] dtype=f32 stream="Encoder/Epsilon" value=f32[2]{1.0, 2.0}"; parses back to the
// same bits.
std::string ToString(const Attributes& attributes);
std::string ToString(const AttributeValue& value);

// Reads one value written by ToString from the front of `text` and removes it. Throws GraphError with what was
// expected.
AttributeValue ParseAttributeValue(std::string_view& text);

}  // namespace weft
