// Between the layouts of a matrix.
#pragma once

#include <cstddef>
#include <cstdint>

#include "weft/graph/kernel.h"

namespace weft {

// Elements [rows, columns] of `size` bytes each. What fills up the last panel becomes zero. Rows [begin, end) of them.
void ToPanels(const std::byte* from, int64_t rows, int64_t columns, int64_t size, int64_t begin, int64_t end,
              std::byte* to);
void FromPanels(const std::byte* from, int64_t rows, int64_t columns, int64_t size, int64_t begin, int64_t end,
                std::byte* to);

}  // namespace weft
