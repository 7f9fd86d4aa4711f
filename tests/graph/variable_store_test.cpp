// A store keeps one value a path, where it is, and of one type.
#include "weft/graph/runtime/variable_store.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <numeric>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weft/graph/error.h"
#include "weft/graph/op.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Tensor Two(float a, float b) { return Tensor::Of<float>({2}, {a, b}); }

// The two properties of a variable that a store looks at.
constinit const OpDef kOwnVariable = {
    .name = "Variable",
    .arity = 0,
    .type =
        [](const TypeContext& context) {
          return TensorType{.dtype = DType::kFloat32, .shape = context.attributes().Get<Shape>("shape")};
        },
    .formula = [](double x) { return x; },
    .gradient = NotDifferentiable("it has no operands"),
    .lower = Source{SourceKind::kVariable},
    .samples = [] { return SampleSet{}; },
};

TEST(VariableStore, DeclaresTheVariablesOfAGraph) {
  Graph graph;
  graph.AddNamed("Encoder/W", kOwnVariable, {}, {{"shape", Shape{2, 3}}});
  graph.AddNamed("Encoder/B", kOwnVariable, {}, {{"shape", Shape{3}}});
  VariableStore store(graph);
  EXPECT_THAT(store.Paths(), ElementsAre(Path("Encoder/B"), Path("Encoder/W")));
  EXPECT_EQ(store.Find("Encoder/W")->value().shape(), Shape({2, 3}));
  EXPECT_FALSE(store.Find("Encoder/W")->initialised);
  store.Set("Encoder/B", Tensor::Of<float>({3}, {1, 2, 3}));
  store.Declare(graph);
  EXPECT_EQ(store.Get("Encoder/B"), Tensor::Of<float>({3}, {1, 2, 3}));
}

TEST(VariableStore, AGraphWithAnotherTypeAddsNothing) {
  Graph graph;
  graph.AddNamed("A", kOwnVariable, {}, {{"shape", Shape{5}}});
  graph.AddNamed("W", kOwnVariable, {}, {{"shape", Shape{2, 3}}});
  VariableStore store;
  store.Declare("W", DType::kFloat32, {3, 2});
  EXPECT_EQ(Thrown([&] { store.Declare(graph); }), "variable 'W': got f32[2, 3], expected f32[3, 2] as it is declared");
  EXPECT_EQ(store.Find("A"), nullptr);
}

TEST(VariableStore, AValueStaysWhereItIs) {
  VariableStore store;
  store.Declare("W", DType::kFloat32, {2});
  const std::byte* memory = store.Find("W")->value().bytes().data();
  store.Set("W", Two(1, 2));
  store.Set("W", store.Get("W"));
  for (int i = 0; i < 100; ++i) store.Declare(Path("V" + std::to_string(i)), DType::kInt64, {});
  EXPECT_EQ(store.Get("W"), Two(1, 2));
  EXPECT_EQ(store.Get("W").bytes().data(), memory);
}

TEST(VariableStore, WhatAProgramWritesInPanelsIsReadInRows) {
  for (const Shape& shape : {Shape{3, 70}, Shape{1, 32}, Shape{5, 40}}) {
    VariableStore store;
    store.Declare("W", DType::kFloat32, shape);
    VariableStore::Entry& entry = *store.Find("W");
    Tensor value(DType::kFloat32, shape);
    for (size_t i = 0; i < static_cast<size_t>(value.size()); ++i) value.values<float>()[i] = static_cast<float>(i);
    store.Set("W", value);

    auto* const panels = reinterpret_cast<float*>(entry.Hold(Layout::kPanels));
    entry.Prepare(Layout::kPanels, true);
    const auto rows = static_cast<size_t>(shape[0].length()), columns = static_cast<size_t>(shape[1].length());
    for (size_t r = 0; r < rows; ++r) {
      for (size_t c = 0; c < columns; ++c) {
        float& element = panels[(c / 32 * rows + r) * 32 + c % 32];
        EXPECT_EQ(element, value.values<float>()[r * columns + c]);
        element = -element;
      }
    }
    for (float& element : value.values<float>()) element = -element;
    EXPECT_EQ(store.Get("W"), value);

    store.Set("W", Tensor(DType::kFloat32, shape));
    entry.Prepare(Layout::kPanels, false);
    EXPECT_EQ(panels[0], 0);
    EXPECT_EQ(entry.Hold(Layout::kPanels), reinterpret_cast<std::byte*>(panels));
  }
}

// What the process has of memory, in bytes, without what malloc keeps for later.
size_t ResidentBytes() {
  malloc_trim(0);
  std::ifstream status("/proc/self/statm");
  size_t all = 0, resident = 0;
  status >> all >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

constexpr size_t kLarge = size_t{64} << 20;
const Shape kLargeShape = {1024, 16384};

TEST(VariableStore, ZerosHaveNoMemoryUntilTheyAreWritten) {
  if (kIsSanitized) GTEST_SKIP() << "a sanitizer keeps memory that was freed";
  VariableStore store;
  const size_t before = ResidentBytes();
  store.Declare("W", DType::kFloat32, kLargeShape);
  store.Find("W")->SetZeros();
  std::byte* const panels = store.Find("W")->Hold(Layout::kPanels);
  store.Find("W")->Prepare(Layout::kPanels, false);
  EXPECT_LT(ResidentBytes(), before + kLarge / 4);
  EXPECT_EQ(panels[kLarge / 2], std::byte{0});
}

TEST(VariableStore, AVariableThatIsReadInPanelsAloneHasNoRows) {
  if (kIsSanitized) GTEST_SKIP() << "a sanitizer keeps memory that was freed";
  VariableStore store;
  const size_t before = ResidentBytes();
  store.Set("W", Tensor(DType::kFloat32, kLargeShape));
  VariableStore::Entry& entry = *store.Find("W");
  entry.Hold(Layout::kPanels);
  entry.Prepare(Layout::kPanels, true);
  EXPECT_LT(ResidentBytes(), before + kLarge * 5 / 4);
  { const VariableStore::Entry::Reading reading(entry); }
  store.Set("W", Tensor(DType::kFloat32, kLargeShape));
  EXPECT_LT(ResidentBytes(), before + kLarge * 5 / 4);
  EXPECT_EQ(entry.value().bytes().size(), kLarge);
  EXPECT_GT(ResidentBytes(), before + kLarge * 7 / 4);
}

TEST(VariableStore, MemoryStaysWhereItIsWhileItIsHeld) {
  VariableStore store;
  store.Set("W", Tensor::Of<float>({2, 32}, std::vector<float>(64, 1)));
  VariableStore::Entry& entry = *store.Find("W");
  const std::byte* const panels = entry.Hold(Layout::kPanels);
  EXPECT_EQ(entry.Hold(Layout::kPanels), panels);
  entry.Release(Layout::kPanels);
  entry.Prepare(Layout::kPanels, true);
  const std::byte* const rows = std::as_const(entry).value().bytes().data();
  entry.Prepare(Layout::kPanels, true);
  store.Set("W", Tensor::Of<float>({2, 32}, std::vector<float>(64, 2)));
  EXPECT_EQ(entry.value().bytes().data(), rows);
  EXPECT_EQ(entry.Hold(Layout::kPanels), panels);
  // Whoever comes after the last one that held it finds the value all the same.
  entry.Prepare(Layout::kPanels, true);
  entry.Release(Layout::kPanels);
  entry.Release(Layout::kPanels);
  EXPECT_EQ(store.Get("W"), Tensor::Of<float>({2, 32}, std::vector<float>(64, 2)));
}

TEST(VariableStore, AReadingIsInRowsWhateverTheLayout) {
  std::vector<float> numbers(3 * 40);
  std::iota(numbers.begin(), numbers.end(), 0.0F);
  const Tensor value = Tensor::Of<float>({3, 40}, numbers);
  VariableStore store;
  store.Declare("W", DType::kFloat32, {3, 40});
  VariableStore::Entry& entry = *store.Find("W");
  const auto read = [&entry] {
    const VariableStore::Entry::Reading reading(entry);
    Tensor copy(DType::kFloat32, {3, 40});
    std::ranges::copy(reading.bytes(), copy.bytes().begin());
    return copy;
  };
  EXPECT_EQ(read(), Tensor(DType::kFloat32, {3, 40}));
  entry.Set(value);
  EXPECT_EQ(read(), value);
  entry.Hold(Layout::kPanels);
  entry.Prepare(Layout::kPanels, true);
  EXPECT_EQ(read(), value);
  entry.SetZeros();
  EXPECT_EQ(read(), Tensor(DType::kFloat32, {3, 40}));
  entry.Set(value);
  EXPECT_EQ(read(), value);
}

TEST(VariableStore, SetDeclares) {
  VariableStore store;
  store.Set("Encoder/W", Two(1, 2));
  EXPECT_EQ(store.Get("Encoder/W"), Two(1, 2));
  EXPECT_EQ(store.size(), 1u);
}

TEST(VariableStore, PathsEndAtComponents) {
  VariableStore store;
  for (const char* path : {"Encoder/W", "Encoder2/W", "Encoder/Mean/W", "Encoder"}) store.Set(path, Two(1, 2));
  EXPECT_THAT(store.Paths("Encoder"), ElementsAre(Path("Encoder"), Path("Encoder/Mean/W"), Path("Encoder/W")));
  EXPECT_EQ(store.Paths().size(), 4u);
  EXPECT_TRUE(store.Paths("Decoder").empty());
}

TEST(VariableStore, RefusalsNameTheVariable) {
  VariableStore store;
  store.Declare("Encoder/LogVariance/W", DType::kFloat32, {2});
  const struct {
    std::function<void()> action;
    const char* message;
  } rows[] = {
      {[&] { store.Get("Encoder/LogVariance/W"); }, "variable 'Encoder/LogVariance/W': has no value yet"},
      {[&] { store.Get("Encoder/Logvariance/W"); },
       "No variable 'Encoder/Logvariance/W'. Did you mean 'Encoder/LogVariance/W'?"},
      {[&] {
         store.Set("Encoder/LogVariance/W", Tensor::Of<double>({2}, {1, 2}));
       },
       "got f64[2], expected f32[2]"},
      {[&] { store.Declare("Encoder/LogVariance/W", DType::kFloat32, {3}); }, "got f32[3], expected f32[2]"},
      {[&] {
         store.Declare("X", DType::kFloat32, {kBatch, 3});
       },
       "variable 'X': got [N, 3], expected a shape without N"},
      {[&] { store.Declare({}, DType::kFloat32, {}); }, "got no name"},
  };
  for (const auto& row : rows) EXPECT_THAT(Thrown(row.action), HasSubstr(row.message));
  EXPECT_EQ(store.size(), 1u);
}

}  // namespace
}  // namespace weft
