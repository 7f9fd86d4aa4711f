// Philox4x32-10, the counter-based generator behind every random op (Salmon et al., "Parallel random numbers: as easy
// as 1, 2, 3"), in plain integers. A value is a function of (seed, stream, run, element) and of nothing else:
//
//   key      k₀, k₁         the low and the high half of StreamHash(stream) ⊕ Mix(seed)
//   counter  c₀             the low half of the element's row-major index
//            c₁             its high half, below 2⁸ (Shape::kMaxElements is 2⁴⁰), plus 2¹⁶ · attempt
//            c₂, c₃         the low and the high half of the run number
//   result   first, second  two words of 64 bits, r₀ + 2³²·r₁ and r₂ + 2³²·r₃
//
// A change of any of this changes every stream: it is a change of the library's numerics.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weft {

inline constexpr int kPhiloxRounds = 10;
inline constexpr std::array<uint32_t, 2> kPhiloxMultipliers = {0xD2511F53, 0xCD9E8D57};
// Fractions of the golden ratio and of √3: added to the key after each round.
inline constexpr std::array<uint32_t, 2> kPhiloxWeyl = {0x9E3779B9, 0xBB67AE85};
inline constexpr int kAttemptShift = 16;  // within c₁

constexpr uint32_t LowHalf(uint64_t word) { return static_cast<uint32_t>(word); }
constexpr uint32_t HighHalf(uint64_t word) { return static_cast<uint32_t>(word >> 32); }

constexpr std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const uint64_t p0 = uint64_t{kPhiloxMultipliers[0]} * counter[0], p1 = uint64_t{kPhiloxMultipliers[1]} * counter[2];
    counter = {HighHalf(p1) ^ counter[1] ^ key[0], LowHalf(p1), HighHalf(p0) ^ counter[3] ^ key[1], LowHalf(p0)};
    key = {key[0] + kPhiloxWeyl[0], key[1] + kPhiloxWeyl[1]};
  }
  return counter;
}

// FNV-1a, 64 bits: for each byte, hash ← (hash ⊕ byte) · prime.
constexpr uint64_t StreamHash(std::string_view stream) {
  uint64_t hash = 0xCBF29CE484222325;
  for (char c : stream) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

// A bijection that spreads every bit of the seed over the word (the finaliser of SplitMix64), so that small seeds and
// similar names do not meet in one key.
constexpr uint64_t Mix(uint64_t seed) {
  seed = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9;
  seed = (seed ^ (seed >> 27)) * 0x94D049BB133111EB;
  return seed ^ (seed >> 31);
}

constexpr uint64_t RandomKey(uint64_t seed, uint64_t stream_hash) { return stream_hash ^ Mix(seed); }

struct RandomWords {
  uint64_t first, second;
};

constexpr RandomWords WordsOf(uint64_t key, uint64_t run, uint64_t element, uint32_t attempt) {
  const uint32_t high = HighHalf(element) | attempt << kAttemptShift;
  const auto r = Philox({LowHalf(element), high, LowHalf(run), HighHalf(run)}, {LowHalf(key), HighHalf(key)});
  return {r[0] | uint64_t{r[1]} << 32, r[2] | uint64_t{r[3]} << 32};
}

}  // namespace weft
