// The npy format of NumPy, version 1.0: one array with its shape.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace weft {

// The bytes of a file that holds `values`, f32[rows, columns] in row-major order.
std::string NpyText(std::span<const float> values, int64_t rows, int64_t columns);

}  // namespace weft
