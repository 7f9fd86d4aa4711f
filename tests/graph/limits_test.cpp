// The limits of docs/limits.md: what is at one is accepted, one more is refused by a sentence that names it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <string>
#include <vector>

#include "weft/autodiff/gradients.h"
#include "weft/graph/compile/memory_plan.h"
#include "weft/graph/error.h"
#include "weft/graph/runtime/checkpoint.h"
#include "weft/graph/runtime/safetensors.h"
#include "weft/graph/scope.h"
#include "weft/graph/tensor.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/safetensors_bytes.h"
#include "weft/tests/support/temporary_directory.h"
#include "weft/tests/support/thrown.h"
#include "weft/tests/support/toy_ops.h"

namespace weft {
namespace {

using testing::HasSubstr;

const FileSystem kSystem;

// What is said of a file of these bytes; "accepted" if nothing is.
std::string Refusal(const std::string& bytes, uint64_t max_header_bytes = SafetensorsLimits::kDefaultHeaderBytes) {
  const TemporaryDirectory directory;
  WriteFile(directory / "file", bytes);
  try {
    ReadSafetensorsHeader(InputFile(kSystem, directory / "file"), max_header_bytes);
  } catch (const CheckpointError& error) {
    return error.what();
  }
  return "accepted";
}

std::string EmptyTensors(size_t count) {
  std::string header = "{";
  for (size_t i = 0; i < count; ++i)
    header += (i == 0 ? "" : ",") + TensorJson("T" + std::to_string(i), "[0]", "[0,0]");
  return SafetensorsBytes(header + "}", "");
}

std::string HeaderOf(size_t bytes) { return SafetensorsBytes("{}" + std::string(bytes - 2, ' '), ""); }

std::string MetadataOf(size_t bytes) {
  return SafetensorsBytes("{\"__metadata__\":{\"key\":\"" + std::string(bytes - 3, 'x') + "\"}}", "");
}

TEST(Limits, OfReadingACheckpoint) {
  constexpr uint64_t kDefault = SafetensorsLimits::kDefaultHeaderBytes, kMost = SafetensorsLimits::kHeaderBytes;
  EXPECT_EQ(Refusal(HeaderOf(kDefault)), "accepted");
  EXPECT_THAT(Refusal(HeaderOf(kDefault + 1)), HasSubstr("got 16777217, expected 2 … 16777216"));
  EXPECT_EQ(Refusal(HeaderOf(kMost), kMost), "accepted");
  EXPECT_THAT(Refusal(HeaderOf(kMost + 1), UINT64_MAX), HasSubstr("got 100000001, expected 2 … 100000000"));
  EXPECT_EQ(Refusal(EmptyTensors(100'000)), "accepted");
  EXPECT_THAT(Refusal(EmptyTensors(100'001)), HasSubstr("got more than 100000 tensors, the limit"));
  EXPECT_THAT(Refusal(EmptyTensors(1'000'000), kMost), HasSubstr("got more than 100000 tensors, the limit"));
  EXPECT_EQ(Refusal(MetadataOf(size_t{1} << 20)), "accepted");
  EXPECT_THAT(Refusal(MetadataOf((size_t{1} << 20) + 1)), HasSubstr("got more than 1048576 bytes, the limit"));
  const auto named = [](size_t bytes) { return ZerosFile({TensorJson(std::string(bytes, 'n'), "[2]", "[0,8]")}, 8); };
  EXPECT_EQ(Refusal(named(512)), "accepted");
  EXPECT_THAT(Refusal(named(513)), HasSubstr("got 513 bytes, expected at most 512"));
  const auto shaped = [](const char* shape) { return ZerosFile({TensorJson("A", shape, "[0,4]")}, 4); };
  EXPECT_EQ(Refusal(shaped("[1,1,1,1,1,1]")), "accepted");
  EXPECT_THAT(Refusal(shaped("[1,1,1,1,1,1,1]")), HasSubstr("got more than 6 integers"));
  const auto empty = [](const char* shape) { return ZerosFile({TensorJson("A", shape, "[0,0]")}, 0); };
  EXPECT_EQ(Refusal(empty("[0,1099511627776]")), "accepted");
  EXPECT_THAT(Refusal(empty("[0,1099511627777]")), HasSubstr("shape of tensor 'A'"));
  EXPECT_THAT(Refusal(SafetensorsBytes("{\"A\":{\"shape\":[[1]]}}", "")), HasSubstr("got a list")) << "a depth of 4";
}

TEST(Limits, OfWritingACheckpoint) {
  const TemporaryDirectory directory;
  const Tensor empty(DType::kFloat32, {0});
  const auto refusal = [&](size_t tensors, size_t metadata, uint64_t header = SafetensorsLimits::kDefaultHeaderBytes) {
    std::vector<SafetensorsItem> items;
    for (size_t i = 0; i < tensors; ++i) items.emplace_back(Path("T" + std::to_string(i)), &empty);
    return Thrown<ResourceError>([&] {
      WriteSafetensors(kSystem, directory / "file", items, {{"key", std::string(metadata - 3, 'x')}}, header);
    });
  };
  EXPECT_THAT(refusal(100'001, 3), HasSubstr("got 100001 tensors, expected at most 100000"));
  EXPECT_THAT(refusal(1, (size_t{1} << 20) + 1), HasSubstr("expected at most 1048576"));
  EXPECT_THAT(refusal(1, 3, 119), HasSubstr(" bytes, expected at most 119"));
  EXPECT_THAT(directory.Names(), testing::IsEmpty());
  EXPECT_EQ(refusal(1, size_t{1} << 20), "nothing was thrown");
  EXPECT_EQ(refusal(100'000, 3), "nothing was thrown");
  EXPECT_EQ(ReadSafetensorsHeader(InputFile(kSystem, directory / "file")).entries.size(), 100'000U);
}

TEST(Limits, OfHeadersAreOptionsOfSaveAndRestore) {
  const TemporaryDirectory directory;
  VariableStore store;
  store.Set("W", Tensor::Scalar(1.0F));
  Save(store, directory / "file");
  EXPECT_THAT(Thrown<CheckpointError>([&] { Restore(directory / "file", {.max_header_bytes = 64}, store); }),
              HasSubstr("expected 2 … 64"));
  EXPECT_THAT(Thrown<ResourceError>([&] { Save(store, directory / "file", {.max_header_bytes = 64}); }),
              HasSubstr("expected at most 64"));
  EXPECT_NO_THROW(Restore(directory / "file", {}, store));
}

TEST(Limits, OfShapesAndNames) {
  constexpr int64_t kMost = int64_t{1} << 40;
  EXPECT_EQ(ElementCount(Shape{kMost}), kMost);
  EXPECT_EQ(ElementCount(Shape{1 << 20, 1 << 20}), kMost);
  EXPECT_THROW(Shape{kMost + 1}, ResourceError);
  EXPECT_THROW(ElementCount(Shape{(1 << 20) + 1, 1 << 20}), ResourceError);
  EXPECT_EQ(Path(std::string(512, 'x')).str().size(), 512U);
  EXPECT_THROW(Path(std::string(513, 'x')), GraphError);
}

// A program whose steps make a buffer each, all of which are there at the end.
Program Making(size_t buffers, int64_t bytes) {
  Program program{.graph = Graph()};
  for (BufferId id = 0; id < buffers; ++id) {
    program.buffers.push_back({.bytes = bytes, .pinned = true});
    program.steps.emplace_back().writes = {id};
  }
  return program;
}

// 2⁴⁶ bytes are more than there are addresses; a sum that wraps would be a small number.
TEST(Limits, OfAMemoryPlan) {
  constexpr int64_t kBuffer = int64_t{1} << 43;
  for (const bool reuse : {false, true}) {
    EXPECT_EQ(PlanMemory(Making(8, kBuffer), reuse).arena_bytes, int64_t{1} << 46);
    EXPECT_THAT(Thrown<ResourceError>([&] { PlanMemory(Making(9, kBuffer), reuse); }), HasSubstr("memory plan: got "));
    EXPECT_THROW(PlanMemory(Making(5'000, kBuffer), reuse), ResourceError) << "in a sweep";
  }
  EXPECT_THROW(PlanMemory(Making(size_t{1} << 21, kBuffer), false), ResourceError) << "2⁶⁴ bytes";
}

// Whatever is listed has an end.
TEST(Limits, OfAMessage) {
  Graph graph;
  const std::string name(490, 'x');
  std::vector<Node> all;
  for (int i = 0; i < 1'000; ++i) all.push_back(ToyInput(graph, name + std::to_string(i), {i}));
  const Scope scope(graph, "Scope");
  const std::string operands = Thrown([&] { graph.Add(kToyConcat, all); });
  EXPECT_THAT(operands, HasSubstr("\n  and 992 more"));
  EXPECT_LE(operands.size(), 2048U);
  const std::string gradients = Thrown([&] { Gradients(Constant(graph, 1.0), all); });
  EXPECT_THAT(gradients, HasSubstr(" and 995 more"));
  EXPECT_LE(gradients.size(), 2048U);
  VariableStore store, none;
  for (int i = 0; i < 1'000; ++i) store.Set("Encoder/" + name + std::to_string(i), Tensor::Scalar(1.0F));
  const TemporaryDirectory directory;
  Save(store, directory / "file");
  none.Declare("Encoder/A", DType::kFloat32, {});
  const std::string restored =
      Thrown<CheckpointError>([&] { Restore(directory / "file", {.scope = "Encoder"}, none); });
  EXPECT_THAT(restored, HasSubstr(" and 995 more"));
  EXPECT_LE(restored.size(), 2048U);
}

// Seconds of this thread's processor; the least of three, so that others do not count.
template <class Action>
double Seconds(const Action& action) {
  double least = 1e9;
  for (int i = 0; i < 3; ++i) {
    timespec begin{}, end{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    action();
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    least = std::min(least, static_cast<double>(end.tv_sec - begin.tv_sec) +
                                1e-9 * static_cast<double>(end.tv_nsec - begin.tv_nsec));
  }
  return least;
}

// Four times as much takes sixteen times as long where something is quadratic.
TEST(Limits, LoadTimeIsLinear) {
  std::vector<double> of_names, of_bytes;
  for (const size_t size : {1, 4, 16}) {
    const TemporaryDirectory directory;
    WriteFile(directory / "names", EmptyTensors(6'000 * size));
    of_names.push_back(Seconds([&] { Inspect(directory / "names"); }));
    VariableStore store;
    store.Set("W", Tensor(DType::kFloat32, {static_cast<int64_t>(size) << 19}));
    Save(store, directory / "bytes");
    of_bytes.push_back(Seconds([&] { Restore(directory / "bytes", {}, store); }));
  }
  for (const auto& seconds : {of_names, of_bytes}) {
    EXPECT_LT(seconds[1], 9 * seconds[0]);
    EXPECT_LT(seconds[2], 9 * seconds[1]);
  }
  EXPECT_LT(of_bytes[2], 0.32) << "1 s for 100 MB: 32 MB";
}

}  // namespace
}  // namespace weft
