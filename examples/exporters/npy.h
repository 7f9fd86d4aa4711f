// The npy format of NumPy: one array with its type and shape.
//
//   WriteWhole("means.npy", NpyText(means));
//   Tensor again = ParseNpy(bytes, "means.npy");
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "weft/graph/tensor.h"

namespace weft {

// What stands in a file of version 1.0 before the numbers, which follow in row-major order. Its length is a multiple of
// 64 bytes. Throws GraphError for a shape with N.
std::string NpyHeader(DType dtype, const Shape& shape);

// The bytes of a whole file: '<f4', '<f8', '<i8' or '|b1'.
std::string NpyText(const Tensor& value);

// The array in the bytes of a file, of version 1, 2 or 3, of C or Fortran order: '<f4', '<f8', '<i8' and '|b1' as they
// are, '<i4' and '|u1' as i64. Nothing of it is ever run: an array of objects, which NumPy would unpickle, is refused.
// Throws CheckpointError "WHAT: NAME: got X, expected Y".
Tensor ParseNpy(std::span<const std::byte> bytes, std::string_view name);

}  // namespace weft
