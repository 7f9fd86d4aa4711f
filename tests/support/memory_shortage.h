// A model's life with its memory running out at every allocation in turn: it is built, differentiated, compiled, run,
// saved, restored, written as text and drawn. Whatever fails must throw an error, leak nothing, and leave behind what
// can be used, with the same bits as ever.
#pragma once

#include <cstddef>

namespace weft {

// Fails allocation number 1, 1 + stride, … of each stage, until a stage is through or 5,000 are done; once alone, once
// with all that follow. Adds failures to the test that runs. The first time libraries keep some of what they allocate.
struct Shortage {
  size_t failures = 0;  // allocations that failed
  size_t kept = 0;      // allocations that were not given back
};
Shortage RunShortOfMemory(size_t stride);

}  // namespace weft
