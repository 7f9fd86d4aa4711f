// Gradients of random graphs beside oracles that know nothing of reverse mode.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weft {

// For each of `count` random graphs of 3 to 40 nodes beside their sources, from that of the seed `first` on, expects
//
//   the gradients by formulas to be the slopes of forward mode (InterpretSlopes), and so those of the second order,
//   the gradients by kernels to be those by formulas, in f64,
//   the gradients by kernels to be difference quotients (CheckGradients), element by element and along directions,
//   a symmetric Hessian,
//   the same bits for each pass of the compiler left out: deduplication, simplification, folding, fusion, reuse of
//   memory.
//
// Records the figures as properties of the test.
void ExpectGradientsOfRandomGraphs(uint64_t first, uint64_t count);

}  // namespace weft
