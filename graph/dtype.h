// Element types of tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weft {

// Arithmetic is done in kFloat32 and kFloat64; kInt64 and kBool are stored, fed, and cast to them.
enum class DType : uint8_t { kFloat32, kFloat64, kInt64, kBool };

inline constexpr DType kAllDTypes[] = {DType::kFloat32, DType::kFloat64, DType::kInt64, DType::kBool};

constexpr size_t SizeOf(DType dtype) {  // bytes of an element
  switch (dtype) {
    case DType::kFloat32: return 4;
    case DType::kFloat64: return 8;
    case DType::kInt64: return 8;
    case DType::kBool: return 1;
  }
  return 0;
}

constexpr std::string_view Name(DType dtype) {  // "f32"
  switch (dtype) {
    case DType::kFloat32: return "f32";
    case DType::kFloat64: return "f64";
    case DType::kInt64: return "i64";
    case DType::kBool: return "bool";
  }
  return "";
}

constexpr bool IsFloating(DType dtype) { return dtype == DType::kFloat32 || dtype == DType::kFloat64; }  // f32, f64

constexpr std::optional<DType> ParseDType(std::string_view name) {  // by its Name; nothing for another text
  for (DType dtype : kAllDTypes) {
    if (Name(dtype) == name) return dtype;
  }
  return std::nullopt;
}

template <class T>
struct DTypeOfElement;
template <>
struct DTypeOfElement<float> {
  static constexpr DType value = DType::kFloat32;
};
template <>
struct DTypeOfElement<double> {
  static constexpr DType value = DType::kFloat64;
};
template <>
struct DTypeOfElement<int64_t> {
  static constexpr DType value = DType::kInt64;
};
template <>
struct DTypeOfElement<bool> {
  static constexpr DType value = DType::kBool;
};

template <class T>
inline constexpr DType kDTypeOf = DTypeOfElement<T>::value;

}  // namespace weft
