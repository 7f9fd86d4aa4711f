// Whatever the plan does with a network (panels, chains, combined instructions, threads), its bits are those of the
// plain plan, which runs node by node on rows.
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include "weft/graph/op.h"
#include "weft/graph/runtime/session.h"
#include "weft/models/layers.h"
#include "weft/models/training/optimizers.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/simd_targets.h"

namespace weft {
namespace {

struct Net {
  int64_t batch, in;
  std::vector<int64_t> units;  // of hidden layers, with batch normalisation; the last of the logits
  Optimizer optimizer = Adam{};
  double clip = 0;
  DType dtype = DType::kFloat32;
};

std::string Text(const Net& net) {
  std::string text = std::to_string(net.batch) + " x " + std::to_string(net.in);
  for (int64_t units : net.units) text += ", " + std::to_string(units);
  return text + " of " + std::string(Name(net.dtype));
}

// All variables, two losses and the logits of inference, after three steps.
std::vector<Tensor> Trained(const Net& net, const SessionOptions& options) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, net.in}, {.dtype = net.dtype});
  Node h = x;
  for (size_t i = 0; i + 1 < net.units.size(); ++i)
    h = Relu(BatchNormalization(FullyConnected(h, net.units[i], {.initializer = Initializer::kHe})));
  const Node logits = FullyConnected("Logits", h, net.units.back(), {.initializer = Initializer::kHe});
  const Node target = Sigmoid(logits * 0.5 + 1.0);
  const Node loss =
      ReduceMean(ReduceSum(SigmoidCrossEntropy({.logits = logits, .target = StopGradient(target)}), {-1}));
  const Minimization training =
      Minimize(loss, net.optimizer, {.clip_global_norm = net.clip > 0 ? std::optional(net.clip) : std::nullopt});

  VariableStore store(graph);
  Initialize(graph, store);
  Session session(graph, store, options);
  Tensor images(DType::kFloat64, {net.batch, net.in});
  for (size_t i = 0; i < static_cast<size_t>(images.size()); ++i)
    images.values<double>()[i] = static_cast<double>(i * 2654435761U % 1000) / 1000;
  const Tensor fed = images.Cast(net.dtype);
  std::vector<Tensor> results;
  for (int step = 0; step < 3; ++step) {
    for (Tensor& value : session.Step({{x, fed}}, {loss, training.global_norm})) results.push_back(std::move(value));
  }
  results.push_back(session.Run({{x, fed}}, logits));
  results.push_back(session.Run({{x, fed.Rows(0, 1)}}, logits));
  for (const Path& path : store.Paths()) results.push_back(store.Get(path));
  return results;
}

TEST(Plan, HasTheBitsOfThePlainPlan) {
  const oneapi::tbb::global_control threads(oneapi::tbb::global_control::max_allowed_parallelism, 4);
  const Net nets[] = {
      {.batch = 128, .in = 100, .units = {64, 96, 75}},
      {.batch = 17, .in = 33, .units = {32, 33, 40}},
      {.batch = 2, .in = 70, .units = {128, 2, 64}, .clip = 0.1},
      {.batch = 300, .in = 64, .units = {48, 31}},
      {.batch = 37, .in = 200, .units = {300, 300, 10}, .clip = 0.5},
      {.batch = 100, .in = 50, .units = {600, 50}},
      {.batch = 33, .in = 65, .units = {64, 64, 64}, .optimizer = AdamW{}},
      {.batch = 40, .in = 40, .units = {64, 40}, .optimizer = Momentum{}},
      {.batch = 65, .in = 40, .units = {33, 17, 16}, .dtype = DType::kFloat64},
      {.batch = 9, .in = 20, .units = {80, 50}, .clip = 0.2, .dtype = DType::kFloat64},
  };
  for (const Net& net : nets) {
    const std::vector<Tensor> plain = Trained(net, {.threads = 1, .fuse = false});
    EXPECT_TRUE(plain == Trained(net, {.threads = 1, .reuse_memory = false})) << Text(net);
    EXPECT_TRUE(plain == Trained(net, {.threads = 3})) << Text(net);
    for (int64_t target : SimdTargets()) {
      const OnSimdTarget on(target);
      EXPECT_TRUE(Trained(net, {.threads = 1}) == Trained(net, {.threads = 1, .fuse = false}))
          << Text(net) << " on " << SimdTargetName(target);
    }
  }
}

TEST(Plan, BatchNormalizationFollowsItsProduct) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 100});
  const Node y = Relu(BatchNormalization(FullyConnected(x, 64)));
  const auto program = Compile(graph, {.fetches = {y.id()}, .batch = 128, .mode = Mode::kTraining});
  for (const Step& step : program->steps) EXPECT_EQ(step.kind, StepKind::kOp);
  const Step& product = program->steps.back();
  EXPECT_TRUE(product.chain_needs_all_rows);
  // Of the matrices on the way to y, none is memory of the run.
  EXPECT_EQ(program->buffers[product.writes[0]].kind, BufferKind::kInStrip);
  const auto is_matrix_of_the_run = [&](BufferId id) {
    const Buffer& buffer = program->buffers[id];
    return buffer.kind == BufferKind::kArena && buffer.bytes >= int64_t{128} * 64 * 4;
  };
  EXPECT_EQ(std::ranges::count_if(product.writes, is_matrix_of_the_run), 1);
}

TEST(Plan, InferenceIsOneStepOverTheMatricesOfALayer) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 100});
  Node y = x;
  for (int64_t units : {64, 96}) y = Relu(BatchNormalization(FullyConnected(y, units)));
  const auto program = Compile(graph, {.fetches = {y.id()}, .batch = 128, .mode = Mode::kInference});
  int products = 0;
  for (const Step& step : program->steps) {
    products += step.chain.empty() ? 0 : 1;
    EXPECT_TRUE(step.kind != StepKind::kBlocks || step.program.rows == 1);
  }
  EXPECT_EQ(products, 2);
}

// A row that comes from variables alone goes first only where these are still what they were.
TEST(Plan, WhatReadsANextValueStaysBehindTheUpdate) {
  Graph graph;
  const Node v = Variable("V", BroadcastTo(Constant(graph, 1), {1, 64}));
  const Node next = v + 1.0;
  graph.AddUpdate(v, next);
  std::vector<Node> fetches;  // more than one fused group can hold
  for (int i = 0; i < 80; ++i) fetches.push_back(next * static_cast<double>(i));
  VariableStore store(graph);
  Initialize(graph, store);
  Session session(graph, store, {.threads = 1});
  const std::vector<Tensor> results = session.Step({}, fetches);
  for (size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i].values<float>()[0], 2 * static_cast<float>(i));
}

TEST(Plan, AdamIsOneInstructionBehindTheProductOfItsGradient) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 100});
  Minimize(ReduceSum(Square(FullyConnected(x, 64, {.bias = false}))), Adam{});
  const auto program = Compile(graph, {.updates = true, .batch = 128, .mode = Mode::kTraining});
  size_t found = 0;
  for (const Step& step : program->steps) {
    for (const Link& link : step.chain)
      found += link.program.instructions.size() == 1 && link.program.writes.size() == 3;
  }
  EXPECT_EQ(found, 1U);
}

}  // namespace
}  // namespace weft
