// Numerics: which bits the kernels give. What decides it is this version and the class of the SIMD target in use, and
// neither the number of threads, nor the width of vectors, nor the compiler.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weft {

// One more with every release in which the bits of any result change; tests/models/golden/bits.txt holds them.
inline constexpr int kNumericsVersion = 1;

// With a fused multiply-add (one rounding) or without (two).
enum class NumericsClass : uint8_t { kFma, kNoFma };
std::string_view Name(NumericsClass numerics);  // "fma", "no-fma"

// Of a target of Highway, and of the one that kernels run on.
NumericsClass ClassOfTarget(int64_t target);
NumericsClass CurrentNumericsClass();

// "1 fma": equal for runs that give the same bits. Checkpoints of training hold it.
std::string NumericsText();

// From now on kernels run on the best target without fused multiply-add: the same bits on every x86-64 processor, at
// perhaps half the speed of a product. For the whole process, since Highway chooses once for all: a program calls it
// before its first run.
void UsePortableNumerics();

}  // namespace weft
