// What this processor can do at best: what measured rates are percentages of.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weft {

struct Bandwidth {
  std::string_view level;   // "L1", "L2", "L3", "memory"
  int64_t capacity = 0;     // bytes of a core's cache; the last has no end
  int64_t working_set = 0;  // bytes that a thread goes round
  double read = 0;          // bytes a second, of all threads: loads only
  double triad = 0;         // a = b + k · c, 12 bytes an element
};

struct Limits {
  int threads = 1;
  double flops = 0;  // f32 multiply-adds a second out of registers, two for each
  std::array<Bandwidth, 4> bandwidths = {};

  // Of the nearest level that holds so many bytes.
  const Bandwidth& LevelOf(int64_t bytes) const;
};

// Takes about two seconds. The work is that of all threads at once, and the slowest counts.
Limits MeasureLimits(int threads);

}  // namespace weft
