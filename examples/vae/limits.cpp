// Loops that do nothing but multiply and add, load, or stream.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "weft/examples/vae/limits.cpp"
#include "hwy/foreach_target.h"  // must precede highway.h
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A multiply-add takes 4 cycles and two begin in each: 8 chains would do, 12 do for sure and fit in 16 registers.
constexpr int64_t kChains = 12, kRounds = 1024;
constexpr hn::ScalableTag<float> kTag;

// Returns the sum of all chains, so that none can be left out.
HWY_NOINLINE float MultiplyAdd(int64_t repeats, float factor, float addend) {
  const auto x = hn::Set(kTag, factor), y = hn::Set(kTag, addend);
  decltype(hn::Zero(kTag)) chains[kChains];
#pragma GCC unroll 12
  for (int64_t i = 0; i < kChains; ++i) chains[i] = hn::Set(kTag, static_cast<float>(i));
  for (int64_t round = 0; round < repeats * kRounds; ++round) {
#pragma GCC unroll 12
    for (auto& chain : chains) chain = hn::MulAdd(chain, x, y);
  }
#pragma GCC unroll 12
  for (int64_t i = 1; i < kChains; ++i) chains[0] = hn::Add(chains[0], chains[i]);
  return hn::GetLane(hn::SumOfLanes(kTag, chains[0]));
}

double FlopsARepeat() { return 2.0 * static_cast<double>(kChains * kRounds) * static_cast<double>(hn::Lanes(kTag)); }

// `count` is a multiple of 8 of the longest vectors.
HWY_NOINLINE float Read(const float* HWY_RESTRICT data, size_t count, int64_t repeats) {
  constexpr size_t kSums = 8;
  const size_t lanes = hn::Lanes(kTag);
  decltype(hn::Zero(kTag)) sums[kSums];
#pragma GCC unroll 8
  for (auto& sum : sums) sum = hn::Zero(kTag);
  for (int64_t repeat = 0; repeat < repeats; ++repeat) {
    for (size_t at = 0; at < count; at += kSums * lanes) {
#pragma GCC unroll 8
      for (size_t i = 0; i < kSums; ++i) sums[i] = hn::Add(sums[i], hn::Load(kTag, data + at + i * lanes));
    }
  }
#pragma GCC unroll 8
  for (size_t i = 1; i < kSums; ++i) sums[0] = hn::Add(sums[0], sums[i]);
  return hn::GetLane(hn::SumOfLanes(kTag, sums[0]));
}

HWY_NOINLINE void Triad(float* HWY_RESTRICT a, const float* HWY_RESTRICT b, const float* HWY_RESTRICT c, size_t count,
                        int64_t repeats) {
  const size_t lanes = hn::Lanes(kTag);
  const auto k = hn::Set(kTag, 1.0001F);
  for (int64_t repeat = 0; repeat < repeats; ++repeat) {
    for (size_t at = 0; at < count; at += 2 * lanes) {
#pragma GCC unroll 2
      for (size_t i = at; i < at + 2 * lanes; i += lanes)
        hn::Store(hn::MulAdd(hn::Load(kTag, c + i), k, hn::Load(kTag, b + i)), kTag, a + i);
    }
  }
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <functional>
#include <limits>
#include <thread>
#include <vector>

#include "hwy/aligned_allocator.h"
#include "weft/examples/vae/limits.h"

namespace weft {
namespace {

HWY_EXPORT(MultiplyAdd);
HWY_EXPORT(FlopsARepeat);
HWY_EXPORT(Read);
HWY_EXPORT(Triad);

using Work = std::function<void(int thread, int64_t repeats)>;

// Of the slowest thread; all begin at once.
double Seconds(int threads, int64_t repeats, const Work& work) {
  std::barrier start(threads);
  std::vector<double> seconds(static_cast<size_t>(threads));
  const auto run = [&](int thread) {
    start.arrive_and_wait();
    const auto begin = std::chrono::steady_clock::now();
    work(thread, repeats);
    seconds[static_cast<size_t>(thread)] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  {
    std::vector<std::jthread> others;
    for (int thread = 1; thread < threads; ++thread) others.emplace_back(run, thread);
    run(0);
  }
  return *std::ranges::max_element(seconds);
}

// Of all threads together: the median of seven samples of some 20 ms each.
double RepeatsPerSecond(int threads, const Work& work) {
  constexpr double kSample = 0.02;
  constexpr size_t kSamples = 7;
  int64_t repeats = 1;
  while (Seconds(threads, repeats, work) < kSample) repeats *= 2;
  std::vector<double> rates;
  for (size_t i = 0; i < kSamples; ++i)
    rates.push_back(threads * static_cast<double>(repeats) / Seconds(threads, repeats, work));
  std::ranges::nth_element(rates, rates.begin() + kSamples / 2);
  return rates[kSamples / 2];
}

volatile float sink;  // whoever writes here has not computed for nothing

// Three arrays in one piece, in whole groups of eight vectors of up to 2048 bits.
struct Arrays {
  explicit Arrays(int64_t bytes)
      : count(static_cast<size_t>(std::max<int64_t>(bytes / 12 / 512, 1)) * 512),
        all(hwy::AllocateAligned<float>(3 * count)) {
    std::fill_n(all.get(), 3 * count, 1.0F);
  }
  size_t count;
  hwy::AlignedFreeUniquePtr<float[]> all;
};

Bandwidth Measure(std::string_view level, int64_t capacity, int64_t working_set, int threads) {
  std::vector<Arrays> arrays;
  arrays.reserve(static_cast<size_t>(threads));
  for (int thread = 0; thread < threads; ++thread) arrays.emplace_back(working_set);
  const auto bytes = static_cast<double>(3 * arrays[0].count * sizeof(float));
  const auto of = [&arrays](int thread) -> const Arrays& { return arrays[static_cast<size_t>(thread)]; };
  const double read = RepeatsPerSecond(threads, [&](int thread, int64_t repeats) {
    const Arrays& own = of(thread);
    sink = HWY_DYNAMIC_DISPATCH(Read)(own.all.get(), 3 * own.count, repeats);
  });
  const double triad = RepeatsPerSecond(threads, [&](int thread, int64_t repeats) {
    const Arrays& own = of(thread);
    float* const a = own.all.get();
    HWY_DYNAMIC_DISPATCH(Triad)(a, a + own.count, a + 2 * own.count, own.count, repeats);
  });
  return {.level = level,
          .capacity = capacity,
          .working_set = static_cast<int64_t>(bytes),
          .read = read * bytes,
          .triad = triad * bytes};
}

int64_t CacheBytes(int name, int64_t otherwise) {
  const int64_t bytes = sysconf(name);
  return bytes > 0 ? bytes : otherwise;
}

}  // namespace

const Bandwidth& Limits::LevelOf(int64_t bytes) const {
  for (const Bandwidth& each : bandwidths) {
    if (bytes <= each.capacity) return each;
  }
  return bandwidths.back();
}

Limits MeasureLimits(int threads) {
  Limits limits = {.threads = threads};
  limits.flops = HWY_DYNAMIC_DISPATCH(FlopsARepeat)() * RepeatsPerSecond(threads, [](int, int64_t repeats) {
                   sink = HWY_DYNAMIC_DISPATCH(MultiplyAdd)(repeats, 0.999F, 0.0001F);
                 });
  // Well inside of what a core has of each cache. A last level may be large and is shared: 24 MiB of it, as much as a
  // model of this size and its optimiser take.
  const int64_t l1 = CacheBytes(_SC_LEVEL1_DCACHE_SIZE, 32 << 10), l2 = CacheBytes(_SC_LEVEL2_CACHE_SIZE, 1 << 20),
                l3 = CacheBytes(_SC_LEVEL3_CACHE_SIZE, 8 << 20), memory = int64_t{384} << 20;
  limits.bandwidths = {Measure("L1", l1, l1 * 5 / 8, threads), Measure("L2", l2, l2 / 2, threads),
                       Measure("L3", l3, std::min<int64_t>(l3 / 2, 24 << 20) / threads, threads),
                       Measure("memory", std::numeric_limits<int64_t>::max(), memory / threads, threads)};
  return limits;
}

}  // namespace weft
#endif
