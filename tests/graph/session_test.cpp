// Sessions: what they refuse, and what they promise of a run.
#include "weft/graph/runtime/session.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xmmintrin.h>

#include "weft/autodiff/gradients.h"
#include "weft/graph/error.h"
#include "weft/graph/scope.h"
#include "weft/ops/operators.h"
#include "weft/tests/support/allocations.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

// y = x · W + b with a loss, its gradient step, and noise.
struct Model {
  Graph graph;
  Node x = Placeholder(graph, "X", {kBatch, 4});
  Node w = Variable("W", 0.1 * RandomNormal(graph, "W/Initial", {4, 3}));
  Node b = Variable("b", BroadcastTo(Constant(graph, 0.0), {3}));
  Node noise = RandomNormalLike("Noise", MatMul(x, w));
  Node y = Named("Y", Tanh(MatMul(x, w) + b) + 0.1 * noise);
  Node loss = Named("Loss", ReduceMean(Square(y)));

  Model() {
    const auto gradients = Gradients(loss, {w, b});
    graph.AddUpdate(w, w - 0.1 * gradients[0]);
    graph.AddUpdate(b, b - 0.1 * gradients[1]);
  }
  static Tensor Input(int64_t rows) {
    Tensor input(DType::kFloat32, {rows, 4});
    for (size_t i = 0; i < input.values<float>().size(); ++i)
      input.values<float>()[i] = static_cast<float>(i % 7) * 0.25f - 0.5f;
    return input;
  }
};

TEST(Session, RefusesUninitialisedVariablesAndNamesAll) {
  Model m;
  VariableStore store(m.graph);
  Session session(m.graph, store, {.threads = 1});
  const std::string sentence = Thrown<GraphError>([&] { session.Run({{m.x, Model::Input(2)}}, m.y); });
  EXPECT_NE(sentence.find("2 variables are not initialised: 'W', 'b'"), std::string::npos) << sentence;
}

TEST(Session, RefusesFeedsThatDoNotFit) {
  Model m;
  VariableStore store(m.graph);
  Initialize(m.graph, store);
  Session session(m.graph, store, {.threads = 1});
  const Tensor good = Model::Input(2), wide(DType::kFloat32, {2, 5}), other(DType::kFloat64, {2, 4});
  EXPECT_NE(Thrown<GraphError>([&] { session.Run({}, m.y); }).find("'X'"), std::string::npos);
  EXPECT_NE(Thrown<GraphError>([&] {
              session.Run({{m.x, wide}}, m.y);
            }).find("got f32[2, 5], expected f32[N, 4]"),
            std::string::npos);
  EXPECT_NE(Thrown<GraphError>([&] { session.Run({{m.x, other}}, m.y); }).find("got f64[2, 4]"), std::string::npos);
  EXPECT_NE(Thrown<GraphError>([&] {
              session.Run({{m.x, good}, {m.x, good}}, m.y);
            }).find("given twice"),
            std::string::npos);
  Model stranger;
  EXPECT_NE(Thrown<GraphError>([&] {
              session.Run({{m.x, good}}, stranger.y);
            }).find("another graph"),
            std::string::npos);
}

TEST(Session, AnyNodeCanBeFedAndIsNotComputed) {
  Model m;
  VariableStore store(m.graph);
  Initialize(m.graph, store);
  Session session(m.graph, store, {.threads = 1});
  const Tensor silence(DType::kFloat32, {2, 3});
  const Tensor a = session.Run({{m.x, Model::Input(2)}, {m.noise, silence}}, m.y);
  Session other(m.graph, store, {.threads = 1, .seed = 99});
  EXPECT_EQ(a, other.Run({{m.x, Model::Input(2)}, {m.noise, silence}}, m.y));
  EXPECT_FALSE(a == session.Run({{m.x, Model::Input(2)}}, m.y));
}

TEST(Session, RandomNumbersDependOnSeedAndRunAlone) {
  Model m;
  VariableStore store(m.graph);
  Initialize(m.graph, store);
  Session session(m.graph, store, {.threads = 1, .seed = 5});
  const Tensor input = Model::Input(3);
  const Tensor first = session.Run({{m.x, input}}, m.noise);
  EXPECT_EQ(first, session.Run({{m.x, input}}, m.noise));
  session.Step({{m.x, input}}, {m.loss});
  EXPECT_FALSE(first == session.Run({{m.x, input}}, m.noise));
  session.set_run_number(0);
  EXPECT_EQ(first, session.Run({{m.x, input}}, m.noise));
  // A row's noise does not depend on how many rows there are.
  const Tensor longer = session.Run({{m.x, Model::Input(9)}}, m.noise);
  EXPECT_EQ(first, longer.Rows(0, 3));
}

TEST(Session, RunsFromManyThreadsAtOnceGiveTheSameBits) {
  Model m;
  VariableStore store(m.graph);
  Initialize(m.graph, store);
  Session session(m.graph, store, {.threads = 2});
  const Tensor input = Model::Input(5), expected = session.Run({{m.x, input}}, m.y);
  std::atomic<int> different = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) different += session.Run({{m.x, input}}, m.y) == expected ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(different, 0);
}

TEST(Step, AllocatesNothing) {
  Model m;
  VariableStore store(m.graph);
  Initialize(m.graph, store);
  Session session(m.graph, store, {.threads = 1});
  PreparedRun run =
      session.Prepare({m.loss}, {.mode = Mode::kTraining, .updates = true, .batch = 16, .guards = {m.loss}});
  const Tensor input = Model::Input(16);
  const auto feed = run.Input<float>(m.x);
  run.Run();
  const size_t before = AllocationCount();
  for (int i = 0; i < 100; ++i) {
    std::copy(input.values<float>().begin(), input.values<float>().end(), feed.begin());
    run.Run();
  }
  EXPECT_EQ(AllocationCount(), before);
}

TEST(Guard, SearchesWithVariablesAsTheLastStepLeftThem) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {2, 32});
  const Node w = Variable("W", BroadcastTo(Constant(graph, 1.0), {32, 64}));
  const Node loss = Named("Loss", ReduceSum(Named("Root", Sqrt(MatMul(x, w)))));
  graph.AddUpdate(w, w - 0.75);
  VariableStore store(graph);
  Initialize(graph, store);
  Session session(graph, store, {.threads = 1});
  PreparedRun run = session.Prepare({loss}, {.mode = Mode::kTraining, .updates = true, .guards = {loss}});
  std::ranges::fill(run.Input<float>(x), 1.0F);
  run.Run();
  run.Run();
  EXPECT_THAT(Thrown<NumericError>([&] { run.Run(); }), testing::HasSubstr("node 'Root' (Sqrt): not finite"));
}

// The default of a placeholder, and what is fed, are there in every run of each.
TEST(PreparedRun, TakesTurnsInTheMemoryOfAnother) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 3});
  const Node rate = Placeholder(graph, "Rate", {}, {.default_value = 2.0});
  const Node y = Exp(x) * BroadcastTo(rate, {kBatch, 3});
  VariableStore store(graph);
  Session session(graph, store, {.threads = 1});
  PreparedRun large = session.Prepare({y}, {.batch = 50});
  PreparedRun small = session.Prepare({y}, {.batch = 7, .shares_memory_with = &large});
  EXPECT_EQ(static_cast<const void*>(large.Input(x).data()), small.Input(x).data());
  for (int turn = 0; turn < 3; ++turn) {
    for (PreparedRun* run : {&large, &small}) {
      std::ranges::fill(run->Input<float>(x), 0.0F);
      run->Run();
      EXPECT_THAT(run->Output<float>(0), testing::Each(2.0F));
    }
  }
  // One that is too large has memory of its own.
  PreparedRun larger = session.Prepare({y}, {.batch = 5000, .shares_memory_with = &large});
  std::ranges::fill(larger.Input<float>(x), 0.0F);
  small.Run();
  larger.Run();
  EXPECT_THAT(larger.Output<float>(0), testing::Each(2.0F));
}

TEST(Initialize, GivesTheSameBitsOnAnyNumberOfThreads) {
  std::vector<Tensor> values;
  for (const int threads : {1, 2, 3}) {
    Graph graph;
    Variable("W", TruncatedNormal(graph, "Initial", {300, 500}) * 0.1);
    Variable("B", RandomUniform(graph, "Bias", {70'000}));
    Variable("Slot", BroadcastTo(Constant(graph, 0.0), {300, 500}));
    Variable("Negative", BroadcastTo(Constant(graph, -0.0), {5}));
    VariableStore store(graph);
    Initialize(graph, store, {.threads = threads});
    for (const Path& path : store.Paths()) values.push_back(store.Get(path));
  }
  for (size_t i = 4; i < values.size(); ++i) EXPECT_EQ(values[i], values[i % 4]);
  EXPECT_TRUE(std::signbit(values[1].values<float>()[0]));
}

TEST(Guard, StopsBeforeAnyUpdateAndNamesTheFirstBadNode) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {3});
  const Node w = Variable("W", BroadcastTo(Constant(graph, 2.0), {3}));
  const Node root = Named("Root", Sqrt(x * w));
  const Node loss = Named("Loss", ReduceSum(Log(root) + 1.0));
  graph.AddUpdate(w, w - Gradients(loss, {w})[0]);
  VariableStore store(graph);
  Initialize(graph, store);
  Session session(graph, store, {.threads = 1});
  PreparedRun run = session.Prepare({loss}, {.mode = Mode::kTraining, .updates = true, .guards = {loss}});
  const auto feed = run.Input<float>(x);
  feed[0] = 1, feed[1] = -4, feed[2] = 3;
  const std::string sentence = Thrown<NumericError>([&] { run.Run(); });
  EXPECT_NE(sentence.find("'Root' (Sqrt): not finite"), std::string::npos) << sentence;
  EXPECT_NE(sentence.find("-8 … 6"), std::string::npos) << sentence;
  EXPECT_EQ(store.Get("W").values<float>()[0], 2);
  feed[1] = std::numeric_limits<float>::max();  // times 2 it is infinite, and so is the loss
  EXPECT_THAT(Thrown<NumericError>([&] { run.Run(); }), testing::HasSubstr("(Multiply): not finite"));
  EXPECT_EQ(store.Get("W").values<float>()[0], 2);
  feed[1] = 4;
  EXPECT_NO_THROW(run.Run());
  EXPECT_NE(store.Get("W").values<float>()[0], 2);
}

TEST(Profile, TimesEveryStepOfRunsThatCount) {
  Model m, same;
  VariableStore store(m.graph), same_store(same.graph);
  Initialize(m.graph, store);
  Initialize(same.graph, same_store);
  Session session(m.graph, store, {.threads = 2}), same_session(same.graph, same_store, {.threads = 2});
  PreparedRun run = session.Prepare({m.loss}, {.mode = Mode::kTraining, .updates = true, .batch = 5});
  PreparedRun twin = same_session.Prepare({same.loss}, {.mode = Mode::kTraining, .updates = true, .batch = 5});
  const Tensor input = Model::Input(5);
  std::ranges::copy(input.values<float>(), run.Input<float>(m.x).begin());
  std::ranges::copy(input.values<float>(), twin.Input<float>(same.x).begin());
  const std::vector<double> seconds = run.Profile(3);
  EXPECT_EQ(seconds.size(), run.program().steps.size());
  for (const double each : seconds) EXPECT_GE(each, 0);
  for (int i = 0; i < 4; ++i) twin.Run();
  EXPECT_EQ(session.run_number(), 4U);
  EXPECT_EQ(run.Output<float>(0)[0], twin.Output<float>(0)[0]);
}

// A host compiled with -ffast-math flushes small numbers to zero; ours stay, and its own setting, too.
TEST(Session, TheHostsFloatingPointStateIsNeitherUsedNorChanged) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {3000});
  const Node y = x * 0.5;
  VariableStore store;
  Session session(graph, store, {.threads = 2});
  Tensor tiny(DType::kFloat32, {3000});
  std::fill(tiny.values<float>().begin(), tiny.values<float>().end(), 3e-39f);
  // Flush to zero, denormals are zero, and every sticky flag raised: whatever is computed can raise no more.
  const unsigned host = _mm_getcsr() | 0x8040 | 0x3f;
  const unsigned saved = _mm_getcsr();
  _mm_setcsr(host);
  const Tensor result = session.Run({{x, tiny}}, y);
  const unsigned after = _mm_getcsr();
  _mm_setcsr(saved);
  EXPECT_EQ(after, host);
  EXPECT_NE(result.values<float>()[0], 0.0f);
}

}  // namespace
}  // namespace weft
