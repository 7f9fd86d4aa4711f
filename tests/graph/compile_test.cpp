// The planner and the executor: whatever they decide, a program computes what the graph says, with the same bits.
#include "weft/graph/compile/compile.h"

#include <map>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include "weft/tests/support/random_graph.h"
#include "weft/tests/support/reference_interpreter.h"
#include "weft/graph/compile/schedule.h"
#include "weft/graph/runtime/executor.h"
#include "weft/graph/runtime/session.h"
#include "weft/graph/verify.h"
#include "weft/ops/operators.h"

namespace weft {
namespace {

struct Case {
  Graph graph;
  RandomGraph nodes;
  std::map<NodeId, Tensor> feeds;  // placeholders and variables
  std::vector<Feed> placeholder_feeds;

  Case(uint64_t seed, const RandomGraphOptions& options) {
    std::mt19937_64 random(seed);
    nodes = AddRandomGraph(graph, random, options);
    for (Node node : nodes.placeholders) feeds.emplace(node.id(), RandomTensor(options.dtype, node.shape(), random));
    for (Node node : nodes.variables) feeds.emplace(node.id(), RandomTensor(options.dtype, node.shape(), random));
    for (Node node : nodes.placeholders) placeholder_feeds.push_back({node, feeds.at(node.id())});
  }

  // Two steps and one inference run: all fetched values and the variables afterwards.
  std::vector<Tensor> Run(const SessionOptions& options) {
    VariableStore store(graph);
    for (Node node : nodes.variables) store.Set(node.name(), feeds.at(node.id()));
    Session session(graph, store, options);
    std::vector<Tensor> results;
    const auto keep = [&results](std::vector<Tensor> more) {
      std::move(more.begin(), more.end(), std::back_inserter(results));
    };
    keep(session.Step(placeholder_feeds, nodes.fetches));
    keep(session.Step(placeholder_feeds, nodes.fetches));
    keep(session.Run(placeholder_feeds, nodes.fetches));
    for (Node node : nodes.variables) results.push_back(store.Get(node.name()));
    return results;
  }

  // The same by the naive interpreter.
  std::vector<Tensor> Expected() {
    std::vector<Tensor> results;
    std::map<NodeId, Tensor> values = feeds;
    for (int step = 0; step < 2; ++step) {
      for (Tensor& value : InterpretReference(graph, nodes.fetches, values)) results.push_back(std::move(value));
      std::vector<Node> next;
      for (const auto& [variable, value] : graph.updates()) next.push_back(graph.node(value));
      const std::vector<Tensor> updated = InterpretReference(graph, next, values);
      for (size_t i = 0; i < next.size(); ++i) values.insert_or_assign(graph.updates()[i].first, updated[i]);
    }
    for (Tensor& value : InterpretReference(graph, nodes.fetches, values)) results.push_back(std::move(value));
    for (Node node : nodes.variables) results.push_back(values.at(node.id()));
    return results;
  }
};

void ExpectNear(const std::vector<Tensor>& got, const std::vector<Tensor>& expected, double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    const Tensor a = got[i].Cast(DType::kFloat64), b = expected[i].Cast(DType::kFloat64);
    ASSERT_EQ(a.shape(), b.shape());
    for (int64_t e = 0; e < a.size(); ++e) {
      const auto at = static_cast<size_t>(e);
      ASSERT_NEAR(a.values<double>()[at], b.values<double>()[at], tolerance) << "result " << i << " element " << e;
    }
  }
}

TEST(Compile, RandomGraphsEqualTheNaiveInterpreter) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    Case c(seed, {.nodes = 10 + seed % 40});
    Verify(c.graph);
    ExpectNear(c.Run({.threads = 1}), c.Expected(), 1e-10);
    if (HasFatalFailure()) return;
  }
}

TEST(Compile, LargerRandomGraphsNeedManyBlocksAndStayRight) {
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE(seed);
    Case c(seed, {.nodes = 25, .scale = 9});
    ExpectNear(c.Run({.threads = 1}), c.Expected(), 1e-9);
    if (HasFatalFailure()) return;
  }
}

// Bits depend on nothing that the planner or the machine may choose.
TEST(Compile, SameBitsForAnyThreadCountFusedOrNotAndWithoutReuseOfMemory) {
  const oneapi::tbb::global_control threads(oneapi::tbb::global_control::max_allowed_parallelism, 8);
  for (uint64_t seed = 200; seed <= 260; ++seed) {
    SCOPED_TRACE(seed);
    for (DType dtype : {DType::kFloat32, DType::kFloat64}) {
      Case c(seed, {.nodes = 30, .dtype = dtype, .scale = 1 + static_cast<int64_t>(seed % 7)});
      const std::vector<Tensor> first = c.Run({.threads = 1});
      EXPECT_TRUE(first == c.Run({.threads = 1, .reuse_memory = false}));
      EXPECT_TRUE(first == c.Run({.threads = 1, .fuse = false}));
      for (int count : {2, 3, 7}) EXPECT_TRUE(first == c.Run({.threads = count}));
    }
  }
}

// The plan checked by brute force: two steps that nothing orders never touch the same bytes unless both only read.
TEST(MemoryPlan, NeverOverlapsConcurrentSteps) {
  for (uint64_t seed = 300; seed <= 340; ++seed) {
    SCOPED_TRACE(seed);
    Case c(seed, {.nodes = 40});
    std::vector<NodeId> fetches;
    for (Node node : c.nodes.fetches) fetches.push_back(node.id());
    const auto program = Compile(c.graph, {.fetches = fetches, .updates = true, .mode = Mode::kTraining});
    const size_t steps = program->steps.size();
    std::vector<std::vector<char>> before(steps, std::vector<char>(steps, 0));
    for (StepId id = static_cast<StepId>(steps); id-- > 0;) {
      for (StepId next : program->successors(id)) {
        before[id][next] = 1;
        for (size_t k = 0; k < steps; ++k) before[id][k] |= before[next][k];
      }
    }
    const auto overlap = [&](BufferId a, BufferId b) {
      const Buffer &x = program->buffers[a], &y = program->buffers[b];
      if (x.kind != BufferKind::kArena || y.kind != BufferKind::kArena) return a == b;
      return x.offset < y.offset + y.bytes && y.offset < x.offset + x.bytes;
    };
    for (StepId a = 0; a < steps; ++a) {
      for (StepId b = a + 1; b < steps; ++b) {
        if (before[a][b]) continue;
        for (BufferId write : program->steps[a].writes) {
          for (BufferId other : program->steps[b].writes) EXPECT_FALSE(overlap(write, other));
          for (BufferId other : program->steps[b].reads) EXPECT_FALSE(overlap(write, other));
        }
        for (BufferId write : program->steps[b].writes) {
          for (BufferId other : program->steps[a].reads) EXPECT_FALSE(overlap(write, other));
        }
      }
    }
  }
}

TEST(Schedule, ReductionKeepsReachability) {
  Case c(7, {.nodes = 60});
  std::vector<NodeId> fetches;
  for (Node node : c.nodes.fetches) fetches.push_back(node.id());
  const auto program = Compile(c.graph, {.fetches = fetches});
  const size_t steps = program->steps.size();
  const auto closure = [steps](auto&& successors) {
    std::vector<std::vector<char>> reach(steps, std::vector<char>(steps, 0));
    for (StepId id = static_cast<StepId>(steps); id-- > 0;) {
      for (StepId next : successors(id)) {
        reach[id][next] = 1;
        for (size_t k = 0; k < steps; ++k) reach[id][k] |= reach[next][k];
      }
    }
    return reach;
  };
  std::vector<std::vector<StepId>> all(steps);
  for (const StepEdge& edge : Dependencies(*program, true)) all[edge.before].push_back(edge.after);
  EXPECT_EQ(closure([&](StepId id) { return program->successors(id); }), closure([&](StepId id) { return all[id]; }));
}

// Buffers that overlap in all ways: of two steps that may not change places one is behind the other, and no edge is
// between others.
TEST(Schedule, OrdersAllThatTouchTheSameBytes) {
  std::mt19937_64 random(1);
  const auto below = [&random](uint64_t n) { return static_cast<BufferId>(random() % n); };
  for (int round = 0; round < 200; ++round) {
    Program program;
    for (int i = 0; i < 12; ++i)
      program.buffers.push_back({.bytes = kAlignment * (1 + below(4)), .offset = kAlignment * below(12)});
    for (int i = 0; i < 16; ++i) {
      program.steps.emplace_back();
      program.steps.back().reads = {below(12), below(12)};
      program.steps.back().writes = {below(12)};
    }
    const auto overlap = [&program](const std::vector<BufferId>& some, const std::vector<BufferId>& others) {
      for (BufferId a : some) {
        for (BufferId b : others) {
          const Buffer &x = program.buffers[a], &y = program.buffers[b];
          if (x.offset < y.offset + y.bytes && y.offset < x.offset + x.bytes) return true;
        }
      }
      return false;
    };
    const auto conflict = [&](StepId a, StepId b) {
      const Step &first = program.steps[a], &second = program.steps[b];
      return overlap(first.writes, second.reads) || overlap(first.writes, second.writes) ||
             overlap(first.reads, second.writes);
    };
    const std::vector<StepEdge> edges = Dependencies(program, true);
    const std::vector<StepBits> after = Closure(program.steps.size(), edges);
    for (const StepEdge& edge : edges) EXPECT_TRUE(conflict(edge.before, edge.after)) << round;
    for (StepId b = 0; b < program.steps.size(); ++b) {
      for (StepId a = 0; a < b; ++a) {
        EXPECT_TRUE(Has(after[a], b) || !conflict(a, b)) << round << ": " << a << ", " << b;
      }
    }
  }
}

// ---- What is fused --------------------------------------------------------------------------------------------------

std::vector<StepKind> KindsOf(const Program& program) {
  std::vector<StepKind> kinds;
  for (const Step& step : program.steps) kinds.push_back(step.kind);
  return kinds;
}

TEST(Partition, AChainOfElementwiseNodesIsOneStep) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {64, 100});
  const Node y = Exp(Tanh(x * 2.0) + 1.0) / (x + 3.0);
  const auto program = Compile(graph, {.fetches = {y.id()}});
  EXPECT_EQ(KindsOf(*program), std::vector{StepKind::kBlocks});
  EXPECT_EQ(program->steps[0].program.rows, 1);
}

TEST(Partition, WhatOnlyFeedsAReductionNeedsNoBuffer) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {64, 100});
  const Node y = ReduceSum(Square(x - 1.0), kLastAxis);
  const auto program = Compile(graph, {.fetches = {y.id()}});
  EXPECT_EQ(KindsOf(*program), std::vector{StepKind::kReduction});
  EXPECT_EQ(program->steps[0].program.instructions.size(), 2u);
}

TEST(Chains, ABiasAndAnActivationFollowTheirProduct) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {64, 100});
  const Node w = Placeholder(graph, "W", {100, 70});
  const Node b = Placeholder(graph, "B", {70});
  const Node y = Relu(MatMul(x, w) + b);
  const auto program = Compile(graph, {.fetches = {y.id()}});
  for (const Step& step : program->steps) EXPECT_EQ(step.kind, StepKind::kOp);
  ASSERT_EQ(program->steps.back().chain.size(), 1u);
  EXPECT_EQ(program->steps.back().chain[0].program.instructions.size(), 2u);
}

TEST(Partition, AnUpdateWritesStraightIntoItsVariable) {
  Graph graph;
  const Node w = Variable("W", BroadcastTo(Constant(graph, 1.0), {300}));
  graph.AddUpdate(w, w * 0.5);
  const auto program = Compile(graph, {.updates = true, .mode = Mode::kTraining});
  EXPECT_EQ(KindsOf(*program), std::vector{StepKind::kBlocks});
  EXPECT_EQ(program->arena_bytes, 0);
}

TEST(Partition, VariablesThatSwapTheirValuesDoSo) {
  Graph graph;
  const Node a = Variable("A", BroadcastTo(Constant(graph, 1.0), {3}));
  const Node b = Variable("B", BroadcastTo(Constant(graph, 2.0), {3}));
  graph.AddUpdate(a, b);
  graph.AddUpdate(b, a);
  VariableStore store(graph);
  Initialize(graph, store);
  Session session(graph, store, {.threads = 1});
  const std::vector<Tensor> before = session.Step({}, {a, b});
  EXPECT_EQ(before[0].values<float>()[0], 1);  // a step returns what was before its updates
  EXPECT_EQ(store.Get("A").values<float>()[0], 2);
  EXPECT_EQ(store.Get("B").values<float>()[0], 1);
}

// ---- Sums -----------------------------------------------------------------------------------------------------------

// 16 lanes and a tree: no error grows with the length.
TEST(Reduction, MeanOfTenMillionEqualValuesIsTheValue) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {10'000'000});
  VariableStore store;
  Session session(graph, store, {.threads = 2});
  Tensor value(DType::kFloat32, {10'000'000});
  std::fill(value.values<float>().begin(), value.values<float>().end(), 0.1f);
  const float mean = session.Run({{x, value}}, ReduceMean(x)).values<float>()[0];
  EXPECT_NEAR(mean, 0.1f, 2 * 0x1p-27);
}

TEST(Reduction, AxesOfEveryLengthEqualTheNaiveSum) {
  for (int64_t outer : {1, 3}) {
    for (int64_t length : {0, 1, 2, 7, 8, 9, 31, 32, 33, 100, 1023, 1025, 5000}) {
      for (int64_t inner : {1, 2, 17, 600}) {
        if (outer * length * inner > 200'000) continue;
        Graph graph;
        const Node x = Placeholder(graph, "X", {outer, length, inner}, {.dtype = DType::kFloat64});
        const Node sum = ReduceSum(x, {1});
        std::mt19937_64 random(1);
        const Tensor value = RandomTensor(DType::kFloat64, x.shape(), random);
        VariableStore store;
        Session session(graph, store, {.threads = 1});
        const Tensor got = session.Run({{x, value}}, sum);
        const Tensor expected = InterpretReference(graph, sum, {{x.id(), value}});
        ExpectNear({got}, {expected}, 1e-11);
      }
    }
  }
}

}  // namespace
}  // namespace weft
