// The bits of every op and of trained models, as lines of text: what tests/models/golden/bits.txt holds for each
// numerics class.
#pragma once

#include <string>
#include <vector>

namespace weft {

struct BitsLine {
  std::string what;    // "Exp f32"
  std::string inputs;  // hash of the samples and of what they are fed
  std::string result;  // hash of the results

  std::string Text() const { return what + " " + inputs + " " + result; }
  bool operator==(const BitsLine&) const = default;
};

// On the SIMD target in use. Every op that has kernels, over its samples, as they are and longer, in f32 and f64.
std::vector<BitsLine> BitsOfOps();
// A variational autoencoder after 50 steps in f32, and after 10 steps in f64.
std::vector<BitsLine> BitsOfTraining();

}  // namespace weft
