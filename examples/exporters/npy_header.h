// The header of an npy file, read strictly.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "weft/graph/shape.h"

namespace weft {

struct NpyFacts {
  std::string descr = {};  // "<f4"
  bool is_fortran_order = false;
  Shape shape = {};
  size_t header_bytes = 0;  // the numbers stand behind so many
};

// Headers above 10,000 bytes are refused, as NumPy does. Throws CheckpointError "npy: NAME: got X, expected Y".
NpyFacts ReadNpyHeader(std::span<const std::byte> bytes, std::string_view name);

}  // namespace weft
