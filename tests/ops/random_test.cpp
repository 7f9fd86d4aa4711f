// The random ops: Philox against published answers, the streams as functions of seed, stream, run and element, and
// their distributions. All is a function of fixed seeds, so no test here can fail by chance.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/normal-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

// The words of one counter, in every lane of a vector; all lanes must agree.
bool PhiloxWords(const uint32_t* counter, uint64_t key, uint64_t* words) {
  const hn::CappedTag<uint64_t, 8> d;
  const auto junk = hn::Set(d, 0xDEADBEEF00000000u);  // upper halves are not read
  const auto set = [&](uint32_t c) HWY_ATTR { return hn::Or(hn::Set(d, uint64_t{c}), junk); };
  const auto result = PhiloxOf(d, set(counter[0]), set(counter[1]), set(counter[2]), set(counter[3]), key);
  words[0] = hn::GetLane(result.first);
  words[1] = hn::GetLane(result.second);
  return hn::AllTrue(d, hn::Eq(result.first, hn::Set(d, words[0]))) &&
         hn::AllTrue(d, hn::Eq(result.second, hn::Set(d, words[1])));
}

double NormalOfWords(uint64_t first, uint64_t second) {
  const hn::CappedTag<uint64_t, 8> d;
  const Words<hn::Vec<decltype(d)>> words = {hn::Set(d, first), hn::Set(d, second)};
  return hn::GetLane(NormalOf(d, words));
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <gtest/gtest.h>

#include "weft/graph/runtime/session.h"
#include "weft/graph/scope.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"
#include "weft/ops/random/random.h"
#include "weft/tests/support/distributions.h"
#include "weft/tests/support/simd_targets.h"
#include "weft/tests/support/step_runner.h"

namespace weft {
HWY_EXPORT(PhiloxWords);
HWY_EXPORT(NormalOfWords);
namespace {

using Counter = std::array<uint32_t, 4>;
using Key = std::array<uint32_t, 2>;

// The answers of the authors' file kat_vectors for philox4x32-10.
struct KnownAnswer {
  Counter counter;
  Key key;
  Counter result;
};
constexpr uint32_t kOnes = 0xFFFFFFFF;
constexpr KnownAnswer kKnownAnswers[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

TEST(Philox, GivesTheKnownAnswers) {
  for (const KnownAnswer& known : kKnownAnswers) EXPECT_EQ(Philox(known.counter, known.key), known.result);
}

TEST(Philox, GivesTheKnownAnswersOnEveryTarget) {
  for (int64_t target : SimdTargets()) {
    const OnSimdTarget on(target);
    SCOPED_TRACE(SimdTargetName(target));
    for (const KnownAnswer& known : kKnownAnswers) {
      uint64_t words[2];
      EXPECT_TRUE(
          HWY_DYNAMIC_DISPATCH(PhiloxWords)(known.counter.data(), known.key[0] | uint64_t{known.key[1]} << 32, words));
      EXPECT_EQ(words[0], known.result[0] | uint64_t{known.result[1]} << 32);
      EXPECT_EQ(words[1], known.result[2] | uint64_t{known.result[3]} << 32);
    }
  }
}

TEST(StreamHash, IsFnv1a) {
  EXPECT_EQ(StreamHash(""), 0xcbf29ce484222325u);
  EXPECT_EQ(StreamHash("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(StreamHash("foobar"), 0x85944171f73967e8u);
}

const OpDef* const kRandomOps[] = {&kRandomUniform, &kRandomNormal, &kTruncatedNormal};

struct Draws {
  int64_t seed = 1;
  int64_t run = 0;
  std::string stream = "Encoder/Epsilon";
};

Tensor RunRandom(const OpDef& op, DType dtype, const Shape& shape, const Draws& draws = {},
                 const StepOrder& order = {}) {
  const Tensor state = Tensor::Of<int64_t>({2}, {draws.seed, draws.run});
  const Attributes attributes = {{"dtype", dtype}, {"shape", shape}, {"stream", draws.stream}};
  return RunSteps(op, {&state, 1}, attributes, {.dtype = dtype, .shape = shape}, order);
}

// Pinned, from an independent implementation of random/philox.h: a change here changes every trained model, and needs a
// new version of the library's numerics.
TEST(RandomStream, IsPinned) {
  const RandomWords words = WordsOf(RandomKey(1, StreamHash("Encoder/Epsilon")), 0, 0, 0);
  EXPECT_EQ(words.first, 0x89de207e77325ad3u);
  EXPECT_EQ(words.second, 0xcddc8a009a00d69au);
  const uint64_t key = RandomKey(static_cast<uint64_t>(-3), StreamHash("W"));
  const RandomWords far = WordsOf(key, (uint64_t{5} << 32) + 7, (uint64_t{200} << 32) + 9, 3);
  EXPECT_EQ(far.first, 0x48611f33c81f53f5u);
  EXPECT_EQ(far.second, 0xa1e5802657f3b112u);
  const double first = static_cast<double>(words.first >> 11) * 0x1p-53;
  EXPECT_EQ(SamplesOf(RunRandom(kRandomUniform, DType::kFloat64, {2}))[0], first);
}

TEST(RandomStream, HasTheSameBitsOnTargetsOfOneClass) {
  for (const OpDef* op : kRandomOps) {
    for (DType dtype : {DType::kFloat32, DType::kFloat64}) {
      std::map<bool, Tensor> of_class;
      for (int64_t target : SimdTargets()) {
        const OnSimdTarget on(target);
        const Tensor values = RunRandom(*op, dtype, {50001});
        const auto [first, is_new] = of_class.emplace(HasFusedMultiplyAdd(target), values);
        EXPECT_TRUE(is_new || first->second == values) << *op->name << " on " << SimdTargetName(target);
      }
    }
  }
}

TEST(RandomStream, FollowsTheFormulaOnEveryTarget) {
  for (const OpDef* op : kRandomOps) {
    for (DType dtype : {DType::kFloat32, DType::kFloat64}) {
      const Shape shape = {3, 17003};
      const Attributes attributes = {{"dtype", dtype}, {"shape", shape}, {"stream", std::string("Encoder/Epsilon")}};
      const Tensor state = Tensor::Of<double>({2}, {-7, 123456789012});
      const std::vector<double> expected =
          SamplesOf(EvaluateReference(*op, {&state, 1}, attributes, {.dtype = dtype, .shape = shape}));
      for (int64_t target : SimdTargets()) {
        const OnSimdTarget on(target);
        const std::vector<double> values = SamplesOf(RunRandom(*op, dtype, shape, {.seed = -7, .run = 123456789012}));
        const double bound = op == &kRandomUniform ? 0 : dtype == DType::kFloat32 ? 0x1p-22 : 1e-14;
        double worst = 0;
        for (size_t i = 0; i < values.size(); ++i) worst = std::max(worst, std::abs(values[i] - expected[i]));
        EXPECT_LE(worst, bound) << *op->name << " on " << SimdTargetName(target);
      }
    }
  }
}

TEST(RandomStream, DoesNotDependOnBlocks) {
  for (const OpDef* op : kRandomOps) {
    for (DType dtype : {DType::kFloat32, DType::kFloat64}) {
      const Tensor values = RunRandom(*op, dtype, {5, 20000});
      for (uint32_t blocks : {1u, 2u, 3u}) {
        for (bool backwards : {false, true}) {
          EXPECT_EQ(RunRandom(*op, dtype, {5, 20000}, {}, {.blocks_per_call = blocks, .backwards = backwards}), values);
        }
      }
    }
  }
}

TEST(RandomStream, IsAFunctionOfTheElement) {
  for (const OpDef* op : kRandomOps) {
    const std::vector<double> many = SamplesOf(RunRandom(*op, DType::kFloat32, {400, 3}));
    for (const Shape& shape : {Shape{}, Shape{1}, Shape{7}, Shape{13, 2}, Shape{200, 3}, Shape{0}}) {
      const std::vector<double> few = SamplesOf(RunRandom(*op, DType::kFloat32, shape));
      EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin())) << *op->name << ToString(shape);
    }
  }
}

TEST(RandomStream, OfFloat32IsThatOfFloat64) {
  for (const OpDef* op : kRandomOps) {
    const std::vector<double> narrow = SamplesOf(RunRandom(*op, DType::kFloat32, {9999}));
    const std::vector<double> wide = SamplesOf(RunRandom(*op, DType::kFloat64, {9999}));
    for (size_t i = 0; i < wide.size(); ++i) {
      const double cut = std::floor(wide[i] * 0x1p24) * 0x1p-24,
                   rounded = static_cast<double>(static_cast<float>(wide[i]));
      ASSERT_EQ(narrow[i], op == &kRandomUniform ? cut : rounded) << *op->name << " " << i;
    }
  }
}

constexpr int64_t kSamples = 1'000'000;
const double kStandardError = 1 / std::sqrt(static_cast<double>(kSamples));

// Streams that differ in a letter, seeds and runs that differ by one, neighbours within a stream: all uncorrelated.
TEST(RandomStream, IsUncorrelatedWithItsNeighbours) {
  const std::vector<double> base = SamplesOf(RunRandom(kRandomNormal, DType::kFloat64, {kSamples}));
  std::vector<double> shifted(base.begin() + 1, base.end());
  shifted.push_back(0);
  const std::vector<double> others[] = {
      shifted,
      SamplesOf(RunRandom(kRandomNormal, DType::kFloat64, {kSamples}, {.seed = 2})),
      SamplesOf(RunRandom(kRandomNormal, DType::kFloat64, {kSamples}, {.seed = INT64_MIN + 1})),
      SamplesOf(RunRandom(kRandomNormal, DType::kFloat64, {kSamples}, {.run = 1})),
      SamplesOf(RunRandom(kRandomNormal, DType::kFloat64, {kSamples}, {.run = int64_t{1} << 32})),
      SamplesOf(RunRandom(kRandomNormal, DType::kFloat64, {kSamples}, {.stream = "Encoder/Epsilon_1"})),
      SamplesOf(RunRandom(kRandomNormal, DType::kFloat64, {kSamples}, {.stream = "Encoder/Epsilom"})),
  };
  for (const std::vector<double>& other : others) {
    const double sum = std::inner_product(base.begin(), base.end(), other.begin(), 0.0);
    EXPECT_LT(std::abs(sum / static_cast<double>(kSamples)), 4 * kStandardError) << &other - others;
  }
}

TEST(RandomUniform, IsUniform) {
  for (DType dtype : {DType::kFloat32, DType::kFloat64}) {
    const std::vector<double> values = SamplesOf(RunRandom(kRandomUniform, dtype, {kSamples}));
    ExpectUniform(values);
    const double step = dtype == DType::kFloat32 ? 0x1p24 : 0x1p53;
    EXPECT_TRUE(std::ranges::all_of(values, [step](double u) { return u * step == std::floor(u * step); }));
    const auto is_odd = [step](double u) { return std::fmod(u * step, 2) == 1; };
    EXPECT_TRUE(std::ranges::any_of(values, is_odd)) << "the last bit is never set";
  }
}

TEST(RandomNormal, IsNormal) {
  for (DType dtype : {DType::kFloat32, DType::kFloat64})
    ExpectNormal(SamplesOf(RunRandom(kRandomNormal, dtype, {kSamples})));
}

TEST(RandomNormal, IsFiniteAndAccurateAtTheEndsOfItsWords) {
  constexpr uint64_t kHalf = uint64_t{1} << 63, kRootOfHalf = 0xB504F333F9DE6484;
  const uint64_t words[] = {0, 1, 2, 3, 0xFFF, 0x1000, kHalf, kHalf - 1, kRootOfHalf, kRootOfHalf + 0x1000, UINT64_MAX};
  for (int64_t target : SimdTargets()) {
    const OnSimdTarget on(target);
    for (uint64_t first : words) {
      for (uint64_t second : words) {
        const double z = HWY_DYNAMIC_DISPATCH(NormalOfWords)(first, second);
        const double expected = NormalInOrder({first, second});
        ASSERT_TRUE(std::isfinite(z) && std::abs(z) < 8.6) << first << " " << second;
        EXPECT_NEAR(z, expected, 1e-15 * std::abs(expected)) << SimdTargetName(target) << " " << first << " " << second;
      }
    }
  }
}

TEST(TruncatedNormal, StaysWithinTwoAndIsNormalThere) {
  for (DType dtype : {DType::kFloat32, DType::kFloat64})
    ExpectTruncatedNormal(SamplesOf(RunRandom(kTruncatedNormal, dtype, {kSamples})));
}

TEST(TruncatedNormal, KeepsWhatRandomNormalDrawsInside) {
  const std::vector<double> all = SamplesOf(RunRandom(kRandomNormal, DType::kFloat64, {10000}));
  const std::vector<double> kept = SamplesOf(RunRandom(kTruncatedNormal, DType::kFloat64, {10000}));
  for (size_t i = 0; i < all.size(); ++i) {
    if (std::abs(all[i]) <= 2) ASSERT_EQ(kept[i], all[i]);
    else ASSERT_NE(kept[i], all[i]);
  }
}

TEST(RandomOps, TakeTheirWholeNameAsStream) {
  Graph graph;
  Node outer = RandomUniform(graph, "Noise", {kBatch, 3});
  Node inner = outer;
  {
    Scope scope(graph, "Encoder");
    inner = RandomNormal(graph, "Noise", {2});
    EXPECT_EQ(RandomNormalLike("Like", outer).type(), outer.type());
  }
  EXPECT_EQ(outer.attributes().Get<std::string>("stream"), "Noise");
  EXPECT_EQ(inner.attributes().Get<std::string>("stream"), "Encoder/Noise");
  EXPECT_EQ(inner.name().str(), "Encoder/Noise");
  EXPECT_EQ(inner.operand(0), outer.operand(0));  // one state a graph, at the root
  EXPECT_EQ(inner.operand(0).name().str(), "RandomState");
  EXPECT_THROW(RandomNormal(graph, "Noise", {2}), GraphError);
  EXPECT_THROW(RandomNormal(graph, "Labels", {2}, DType::kInt64), GraphError);
}

// The numbers of a name: with other random nodes built before it or after it, fetched with it or pruned, in any batch.
TEST(RandomOps, DoNotSeeTheGraphAroundThem) {
  const auto draw = [](int before, bool fetch_all, int64_t batch) {
    Graph graph;
    const Node x = Placeholder(graph, "X", {kBatch, 5});
    std::vector<Node> fetches;
    for (int i = 0; i < before; ++i) fetches.push_back(RandomNormal(graph, "Before" + std::to_string(i), {3}));
    const Node noise = RandomNormalLike("Noise", x);
    fetches.push_back(RandomUniform(graph, "After", {3}));
    VariableStore nothing;
    Session session(graph, nothing);
    if (!fetch_all) fetches.clear();
    fetches.insert(fetches.begin(), noise);
    const Feed feeds[] = {{x, Tensor(DType::kFloat32, {batch, 5})}};
    return session.Run(feeds, fetches)[0];
  };
  const Tensor expected = draw(0, false, 100);
  EXPECT_EQ(draw(3, false, 100), expected);
  EXPECT_EQ(draw(3, true, 100), expected);
  EXPECT_EQ(draw(1, true, 7), expected.Rows(0, 7));
}

}  // namespace
}  // namespace weft
#endif
