// Programs of tens of thousands of nodes, more than the planner looks at pair by pair: they give right numbers, the
// same bits however they are run, and bytes are still used again.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include "weft/autodiff/gradients.h"
#include "weft/graph/runtime/session.h"
#include "weft/models/layers.h"
#include "weft/models/training/optimizers.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/random_graph.h"

namespace weft {
namespace {

constexpr int64_t kSize = 20'000;
constexpr int64_t kWidth = 8;
constexpr int64_t kRowBytes = 128;  // kWidth f64, padded

// ---- Shapes ---------------------------------------------------------------------------------------------------------

// Whole numbers that f64 has exactly, so that no order of sums matters. X is 0, 1, 2 …; W is 2.
struct Large {
  const char* name;
  Node (*build)(Node x, Node w);
  double x_factor, w_factor;  // y = x_factor·X + w_factor·W
  int64_t live_rows;          // that the forward program needs at least, unfused
};

Node Chain(Node x, Node w) {
  Node y = x;
  for (int64_t i = 0; i < kSize; ++i) y = i % 2 == 0 ? y + w : Negate(y);
  return y;
}

Node FanOut(Node x, Node w) {
  Node sum = w;
  for (int64_t i = 1; i <= kSize; ++i) sum = sum + x * static_cast<double>(i);
  return sum;
}

// All readers before their sum, which is a tree: as wide as can be.
Node Tree(Node x, Node w) {
  std::vector<Node> row;
  for (int64_t i = 1; i <= kSize; ++i)
    row.push_back(ReduceMax(BroadcastTo(x * static_cast<double>(i), {2, kWidth}), {0}));
  while (row.size() > 1) {
    for (size_t i = 0; i < row.size() / 2; ++i) row[i] = row[i] + row[row.size() - 1 - i];
    row.resize((row.size() + 1) / 2, w);
  }
  return row[0] + w;
}

Node Concatenation(Node x, Node w) {
  std::vector<Node> parts;
  for (int64_t i = 1; i <= kSize; ++i) parts.push_back(Reshape(x * static_cast<double>(i), {1, kWidth}));
  return ReduceSum(Concatenate(parts, 0), {0}) + w;
}

constexpr double kSum = static_cast<double>(kSize) * static_cast<double>(kSize + 1) / 2;
constexpr Large kShapes[] = {{"Chain", Chain, 1, 0, 1},
                             {"FanOut", FanOut, kSum, 1, kSize},
                             {"Tree", Tree, kSum, 1, 2 * kSize},
                             {"Concatenation", Concatenation, kSum, 1, 2 * kSize}};

struct Built {
  Graph graph;
  Node x, w, y, loss;

  explicit Built(const Large& large)
      : x(Placeholder(graph, "X", {kWidth}, {.dtype = DType::kFloat64})),
        w(Variable("W", BroadcastTo(Constant(graph, 2, DType::kFloat64), {kWidth}))),
        y(large.build(x, w)),
        loss(ReduceSum(y)) {
    graph.AddUpdate(w, w - 0.5 * Gradients(loss, {w})[0]);
  }
};

class LargeGraphs : public testing::TestWithParam<Large> {};

TEST_P(LargeGraphs, GiveRightNumbersHoweverTheyAreRun) {
  const oneapi::tbb::global_control threads(oneapi::tbb::global_control::max_allowed_parallelism, 8);
  Built built(GetParam());
  const Tensor x = Tensor::Of<double>({kWidth}, {0, 1, 2, 3, 4, 5, 6, 7});
  for (const SessionOptions& options :
       {SessionOptions{.threads = 1}, SessionOptions{.threads = 7}, SessionOptions{.threads = 1, .fuse = false},
        SessionOptions{.threads = 7, .fuse = false}, SessionOptions{.threads = 1, .reuse_memory = false}}) {
    SCOPED_TRACE(testing::Message() << options.threads << " threads, fuse " << options.fuse);
    VariableStore store(built.graph);
    Initialize(built.graph, store);
    Session session(built.graph, store, options);
    const Tensor y = session.Step({{built.x, x}}, {built.y})[0];
    for (size_t i = 0; i < kWidth; ++i) {
      EXPECT_EQ(y.values<double>()[i], GetParam().x_factor * static_cast<double>(i) + GetParam().w_factor * 2);
      EXPECT_EQ(store.Get("W").values<double>()[i], 2 - 0.5 * GetParam().w_factor);
    }
  }
}

TEST_P(LargeGraphs, UseBytesAgain) {
  Built built(GetParam());
  for (bool fuse : {true, false}) {
    const auto program = Compile(built.graph, {.fetches = {built.loss.id()}, .fuse = fuse});
    EXPECT_LE(program->arena_bytes, (2 * GetParam().live_rows + 8) * kRowBytes) << "fuse " << fuse;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, LargeGraphs, testing::ValuesIn(kShapes),
                         [](const auto& shape) { return std::string(shape.param.name); });

// ---- Memory plans ---------------------------------------------------------------------------------------------------

// The program step by step, with the last writer of each 64 bytes: every step finds what was written for it.
void ExpectNothingIsOverwritten(const Program& program) {
  std::vector<BufferId> owner(static_cast<size_t>(program.arena_bytes / kAlignment), Program::kNoBuffer);
  const auto cells = [&](BufferId id) -> std::span<BufferId> {
    const Buffer& buffer = program.buffers[id];
    if (buffer.kind != BufferKind::kArena) return {};
    return std::span(owner).subspan(static_cast<size_t>(buffer.offset / kAlignment),
                                    static_cast<size_t>(buffer.bytes / kAlignment));
  };
  const auto own = [&](BufferId id) { std::ranges::fill(cells(id), id); };
  for (const ProgramInput& input : program.inputs) own(input.buffer);
  for (const Step& step : program.steps) {
    for (BufferId read : step.reads) {
      const bool made_here = std::ranges::count(step.writes, read) > 0;  // an epilogue reads its product
      ASSERT_TRUE(made_here || std::ranges::all_of(cells(read), [&](BufferId id) { return id == read; }));
    }
    for (BufferId write : step.writes) own(write);
  }
  for (BufferId output : program.outputs)
    ASSERT_TRUE(std::ranges::all_of(cells(output), [&](BufferId id) { return id == output; }));
}

// The most bytes that any plan for one thread must have at a time.
int64_t LiveBytes(const Program& program) {
  std::map<BufferId, std::pair<StepId, StepId>> lives;  // first and last user
  int64_t pinned = 0;
  for (StepId id = 0; id < program.steps.size(); ++id) {
    for (const auto* buffers : {&program.steps[id].reads, &program.steps[id].writes}) {
      for (BufferId buffer : *buffers) lives.try_emplace(buffer, id, id).first->second.second = id;
    }
  }
  std::vector<int64_t> begins(program.steps.size() + 1, 0);  // bytes that begin, less those that ended before
  for (const auto& [buffer, life] : lives) {
    const Buffer& record = program.buffers[buffer];
    if (record.kind != BufferKind::kArena) continue;
    if (record.pinned) {
      pinned += record.bytes;
    } else {
      begins[life.first] += record.bytes;
      begins[life.second + 1] -= record.bytes;
    }
  }
  int64_t live = 0, most = 0;
  for (int64_t bytes : begins) most = std::max(most, live += bytes);
  return most + pinned;
}

Node Mlp(Graph& graph, int64_t layers) {
  Node h = Placeholder(graph, "X", {4, 8}, {.default_value = 0.5});
  for (int64_t i = 0; i < layers; ++i) h = Relu(FullyConnected(h, 8 + 4 * (i % 7)));
  return ReduceMean(Square(h));
}

TEST(LargeMemoryPlans, AreRightAndTightForATrainingStep) {
  Graph graph;
  const Node loss = Mlp(graph, 1'000);
  Minimize(loss, Adam{});
  for (bool fuse : {true, false}) {
    const auto program =
        Compile(graph, {.fetches = {loss.id()}, .updates = true, .mode = Mode::kTraining, .fuse = fuse});
    EXPECT_GT(program->steps.size(), 4'096u);
    ExpectNothingIsOverwritten(*program);
    EXPECT_LE(program->arena_bytes, LiveBytes(*program) * 3 / 2) << "fuse " << fuse;
  }
}

TEST(LargeMemoryPlans, AreRightForRandomGraphs) {
  for (size_t nodes : {400, 8'000}) {  // planned exactly, and in a sweep
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      SCOPED_TRACE(testing::Message() << nodes << " nodes, seed " << seed);
      Graph graph;
      std::mt19937_64 random(seed);
      AddRandomGraph(graph, random, {.nodes = nodes});
      std::vector<Node> ends;
      for (uint32_t i = 0; i < graph.size(); ++i) {
        if (graph.uses(NodeId{i}).empty()) ends.push_back(graph.node(NodeId{i}));
      }
      Node sum = ReduceSum(ends[0]);
      for (Node end : ends) sum = sum + ReduceSum(end);
      const auto program =
          Compile(graph, {.fetches = {sum.id()}, .updates = true, .mode = Mode::kTraining, .fuse = seed % 2 == 0});
      ExpectNothingIsOverwritten(*program);
    }
  }
}

TEST(LargeMemoryPlans, GiveTheBitsOfProgramsWithoutReuse) {
  const oneapi::tbb::global_control threads(oneapi::tbb::global_control::max_allowed_parallelism, 8);
  Graph graph;
  const Node loss = Mlp(graph, 1'000);
  Minimize(loss, Adam{});
  const auto weights_after = [&](const SessionOptions& options) {
    VariableStore store(graph);
    Initialize(graph, store);
    Session session(graph, store, options);
    for (int step = 0; step < 2; ++step) session.Step({}, {loss});
    std::vector<Tensor> weights;
    for (const Path& path : store.Paths()) weights.push_back(store.Get(path));
    return weights;
  };
  const std::vector<Tensor> expected = weights_after({.threads = 1, .reuse_memory = false});
  for (int count : {1, 2, 7}) EXPECT_TRUE(weights_after({.threads = count}) == expected) << count << " threads";
}

}  // namespace
}  // namespace weft
