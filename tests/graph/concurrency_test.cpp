// Runs beside runs, runs within runs, ops that throw, and hosts that cancel.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include "weft/graph/op.h"
#include "weft/graph/runtime/session.h"
#include "weft/graph/runtime/tbb_runner.h"
#include "weft/graph/scope.h"
#include "weft/ops/operators.h"
#include "weft/tests/support/concurrent_sessions.h"
#include "weft/tests/support/many_threads.h"
#include "weft/tests/support/thread_pool_runner.h"
#include "weft/tests/support/thrown.h"
#include "weft/tests/support/toy_ops.h"

namespace weft {
namespace {

using testing::HasSubstr;

// ---- Ops that do what a test tells them to
// ---------------------------------------------------------------------------

std::function<void(uint32_t block)> in_block;  // of Call
std::function<void()> in_element;              // of CallElementwise
std::atomic<int> blocks_done = 0;              // of Slow

void Copy(const StepArguments& step) {
  const float* const from = reinterpret_cast<const float*>(step.reads[0]);
  float* const to = reinterpret_cast<float*>(step.writes[0]);
  std::copy_n(from, step.numbers[0], to);
}

void LowerAs(LoweringContext& context, StepFunction run, uint32_t blocks) {
  context.steps.push_back({.run = run,
                           .reads = {OperandBuffer(0)},
                           .writes = {StepBuffer::kResult},
                           .numbers = {ElementCount(context.result.shape)},
                           .blocks = blocks,
                           .block_cycles = 1e6});
}

// Calls `in_block` in its only block.
constexpr OpDef kCall = ToyOp("Call", 1, InSteps{[](LoweringContext& context) {
                                LowerAs(
                                    context,
                                    [](const StepArguments& step, uint32_t begin, uint32_t) {
                                      in_block(begin);
                                      Copy(step);
                                    },
                                    1);
                              }},
                              ToyElementwiseType);
// Many blocks of a millisecond each, which are counted; the first one copies, and from `is_held` on they all wait for
// `is_told`.
std::atomic<bool> is_held = false, is_told = false;
void RunSlowBlocks(const StepArguments& step, uint32_t begin, uint32_t end) {
  if (begin == 0) Copy(step);
  for (; begin < end; ++begin) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ++blocks_done;
    for (int patience = 5000; is_held && !is_told && patience > 0; --patience)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}
constexpr uint32_t kSlowBlocks = 64, kManyBlocks = 3000;
constexpr OpDef kSlow =
    ToyOp("Slow", 1, InSteps{[](LoweringContext& context) { LowerAs(context, RunSlowBlocks, kSlowBlocks); }},
          ToyElementwiseType);
constexpr OpDef kVerySlow =
    ToyOp("VerySlow", 1, InSteps{[](LoweringContext& context) { LowerAs(context, RunSlowBlocks, kManyBlocks); }},
          ToyElementwiseType);
// Elementwise, so that it is fused with its neighbours; calls `in_element`.
constexpr OpDef kCallElementwise = ToyOp("CallElementwise", 1, PerBlock{[](const BlockArguments& block) {
                                           in_element();
                                           std::copy_n(static_cast<const float*>(block.inputs[0].data), block.count,
                                                       static_cast<float*>(block.outputs[0].data));
                                         }},
                                         ToyElementwiseType);

Node Apply(const OpDef& op, Node x) { return x.graph().Add(op, {x}); }

Tensor Ones(int64_t count) {
  Tensor tensor(DType::kFloat32, {count});
  std::ranges::fill(tensor.values<float>(), 1.0F);
  return tensor;
}

// ---- Beside each other
// -----------------------------------------------------------------------------------------------

TEST(ConcurrentSessions, GiveTheBitsOfOneAlone) {
  ExpectSameBitsFromSessionsAtOnce({.sessions = 8, .runs_each = 250, .threads_each = 1});
  ExpectSameBitsFromSessionsAtOnce({.sessions = 8, .runs_each = 50, .threads_each = 2});
}

TEST(ConcurrentSessions, TrainAndInferOverOneStore) { ExpectInferenceBesideTraining(150); }

struct Handover {
  std::atomic<bool> is_begun = false;
  std::atomic<int> blocks = 0;

  // Whether it became true in time: a thread too few is a failure, not a test without end.
  static bool Becomes(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    return condition();
  }
  // The caller leaves the step to another thread.
  static void Root(TaskScope& scope, void* context, uint32_t) {
    const auto& handover = *static_cast<Handover*>(context);
    scope.Spawn({Begin, context, 0});
    EXPECT_TRUE(Becomes([&] { return handover.is_begun.load(); }));
  }
  static void Begin(TaskScope& scope, void* context, uint32_t) {
    static_cast<Handover*>(context)->is_begun = true;
    scope.ForBlocks(2, 1, {Block, context, 0});
  }
  // Each block waits for the other.
  static void Block(void* context, uint32_t, uint32_t, uint32_t) {
    auto& handover = *static_cast<Handover*>(context);
    ++handover.blocks;
    EXPECT_TRUE(Becomes([&] { return handover.blocks == 2; })) << "a thread looks on";
  }
};

void ExpectTheWaitingThreadHelps(TaskRunner& runner) {
  Handover handover;
  runner.Run({Handover::Root, &handover, 0});
}

TEST(TbbRunner, AWaitingThreadHelpsWithStepsThatOthersHaveBegun) {
  ManyThreads two(2);
  ExpectTheWaitingThreadHelps(two.runner());
  ThreadPoolRunner pool(2);  // what stands in for it under ThreadSanitizer
  ExpectTheWaitingThreadHelps(pool);
  oneapi::tbb::task_arena arena(2);
  arena.execute([] {
    TbbRunner runner{TbbRunner::HostArena{}};
    ExpectTheWaitingThreadHelps(runner);
  });
}

TEST(HostArena, TwoGraphsAndTheHostsOwnLoopShareIt) {
  const oneapi::tbb::global_control more(oneapi::tbb::global_control::max_allowed_parallelism, 4);
  oneapi::tbb::task_arena arena(4);
  arena.execute([] {
    TbbRunner runner{TbbRunner::HostArena{}};
    Graph a, b;
    const Node x = Placeholder(a, "X", {kBatch, 300}), y = Placeholder(b, "Y", {kBatch, 300});
    const Node sum = ReduceSum(Exp(x) * 0.5), product = ReduceSum(MatMul(y, y, {.transpose_right = true}));
    VariableStore none_a, none_b;
    Session first(a, none_a, {.runner = &runner}), second(b, none_b, {.runner = &runner});
    Tensor input(DType::kFloat32, {64, 300});
    for (size_t i = 0; i < input.values<float>().size(); ++i)
      input.values<float>()[i] = static_cast<float>(i % 11) * 0.125F - 0.5F;
    const Tensor expected_a = first.Run({{x, input}}, sum), expected_b = second.Run({{y, input}}, product);
    std::atomic<int> different = 0;
    oneapi::tbb::parallel_for(0, 200, [&](int i) {
      if (i % 2 == 0) different += first.Run({{x, input}}, sum) == expected_a ? 0 : 1;
      else different += second.Run({{y, input}}, product) == expected_b ? 0 : 1;
    });
    EXPECT_EQ(different, 0);
  });
}

// A thread that waits for its own run takes up no task of the host: that might wait for what the run has locked.
TEST(HostArena, AWaitingRunTakesUpNoTaskOfItsHost) {
  const oneapi::tbb::global_control more(oneapi::tbb::global_control::max_allowed_parallelism, 2);
  oneapi::tbb::task_arena arena(2);
  arena.execute([] {
    TbbRunner runner{TbbRunner::HostArena{}};
    Graph graph;
    const Node x = Placeholder(graph, "X", {1000});
    const Node w = Variable("W", BroadcastTo(Constant(graph, 0.0), {1000}));
    graph.AddUpdate(w, Apply(kSlow, Apply(kSlow, x)) + Apply(kSlow, w));
    VariableStore store;
    Initialize(graph, store);
    Session session(graph, store, {.runner = &runner});
    const std::thread::id caller = std::this_thread::get_id();
    std::atomic<bool> is_running = false;
    std::atomic<int> taken_up = 0;
    oneapi::tbb::task_group host;
    for (int i = 0; i < 200; ++i) {
      host.run([&] {
        taken_up += is_running && std::this_thread::get_id() == caller ? 1 : 0;
        std::this_thread::sleep_for(std::chrono::microseconds(100));
      });
    }
    is_running = true;
    session.Step({{x, Ones(1000)}}, {});
    is_running = false;
    host.wait();
    EXPECT_EQ(taken_up, 0);
  });
}

// ---- Within each other
// -----------------------------------------------------------------------------------------------

TEST(NestedRun, IsAnErrorAndNoDeadlock) {
  for (const int threads : {1, 3}) {
    Graph graph;
    const Node x = Placeholder(graph, "X", {8});
    const Node w = Variable("W", BroadcastTo(Constant(graph, 1.0), {8}));
    const Node inner = Named("Inner", w * 2.0);
    const Node outer = Named("Outer", Apply(kCall, x));
    graph.AddUpdate(w, w + outer);
    VariableStore store;
    Initialize(graph, store);
    ManyThreads many(threads);
    Session session(graph, store, {.runner = &many.runner()});
    Session other(graph, store, {.threads = 1});
    for (Session* within : {&session, &other}) {
      in_block = [&](uint32_t) { within->Run({}, inner); };
      const std::string sentence = Thrown<OpError>([&] { session.Step({{x, Ones(8)}}, {}); });
      EXPECT_THAT(sentence, HasSubstr("node 'Outer' (Call): run: got a call from within an op"));
    }
    in_block = [](uint32_t) {};
    session.Step({{x, Ones(8)}}, {});
    EXPECT_EQ(session.Run({}, inner), other.Run({}, inner));
  }
}

// ---- Ops that throw
// --------------------------------------------------------------------------------------------------

struct Reason : std::runtime_error {
  using std::runtime_error::runtime_error;
};

TEST(ThrowingOp, ReachesRunOnceWithItsNodeAndTheNextRunWorks) {
  for (const int threads : {1, 4}) {
    SCOPED_TRACE(threads);
    Graph graph;
    const Node x = Placeholder(graph, "X", {kBatch});
    const Node stepped = Exp(Named("Stepped", Apply(kCall, Exp(x))));
    const Node fused = Exp(Named("Fused", Apply(kCallElementwise, Exp(x) + 1.0)));
    const Node folded = ReduceSum(Named("Folded", Apply(kCallElementwise, Exp(x))));
    VariableStore store;
    ManyThreads many(threads);
    Session session(graph, store, {.runner = &many.runner()});
    for (const auto& [fetch, name] : {std::pair(stepped, "Stepped"), {fused, "Fused"}, {folded, "Folded"}}) {
      std::atomic<int> thrown = 0;
      in_element = [&] {
        if (++thrown > 0) throw Reason("no luck");
      };
      in_block = [](uint32_t) { in_element(); };
      for (int repetition = 0; repetition < 20; ++repetition) {
        try {
          session.Run({{x, Ones(50'000)}}, fetch);
          ADD_FAILURE() << name << ": expected an error";
        } catch (const OpError& error) {
          EXPECT_THAT(error.what(), HasSubstr(std::string("node '") + name + "' (Call"));
          EXPECT_THAT(error.what(), HasSubstr("): no luck"));
          EXPECT_THROW(std::rethrow_if_nested(error), Reason);
        }
      }
      in_element = [] {};
      EXPECT_NO_THROW(session.Run({{x, Ones(50'000)}}, fetch));
    }
  }
}

TEST(ThrowingOp, MemoryThatThereIsNotStaysWhatItIs) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {8});
  const Node y = Apply(kCallElementwise, Exp(x));
  in_element = [] { throw std::bad_alloc(); };
  VariableStore store;
  Session session(graph, store, {.threads = 1});
  EXPECT_THROW(session.Run({{x, Ones(8)}}, y), std::bad_alloc);
}

// Asked for its sentence once the run has been stopped.
struct Telling : std::exception {
  const char* what() const noexcept override {
    is_told = true;
    return "in the middle";
  }
};

// The runner gives up what is under way when an op throws; nothing may go on from the pieces.
TEST(ThrowingOp, StopsWhatIsBehindAStepThatWasCutShort) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {8});
  const Node bad = Named("Bad", Apply(kCall, x));
  const Node behind = Named("Behind", Apply(kCallElementwise, Apply(kVerySlow, x)));
  VariableStore store;
  ManyThreads many(4);
  ThreadPoolRunner pool(4);
  for (TaskRunner* runner : {&many.runner(), static_cast<TaskRunner*>(&pool)}) {
    Session session(graph, store, {.runner = runner});
    std::atomic<int> went_on = 0;
    blocks_done = 0, is_told = false;
    in_block = [](uint32_t) {
      while (blocks_done == 0) std::this_thread::yield();
      is_held = true;
      throw Telling();
    };
    in_element = [&] { ++went_on; };
    EXPECT_THAT(Thrown<OpError>([&] { session.Run({{x, Ones(8)}}, {bad, behind}); }), HasSubstr("'Bad'"));
    is_held = false;
    EXPECT_EQ(went_on, 0);
    EXPECT_LT(blocks_done, static_cast<int>(kManyBlocks));
  }
}

// ---- Hosts that cancel
// -----------------------------------------------------------------------------------------------

TEST(Cancelling, EndsARunWithinAStepAndEveryLaterOne) {
  for (const int threads : {1, 4}) {
    Graph graph;
    const Node x = Placeholder(graph, "X", {8});
    const Node y = Apply(kCallElementwise, Apply(kSlow, Apply(kCall, x)));
    VariableStore store;
    ManyThreads many(threads);
    std::stop_source host;
    Session session(graph, store, {.runner = &many.runner(), .stop = host.get_token()});
    blocks_done = 0;
    std::atomic<int> went_on = 0;
    in_block = [&](uint32_t) { host.request_stop(); };
    in_element = [&] { ++went_on; };
    EXPECT_EQ(Thrown<CancelledError>([&] { session.Run({{x, Ones(8)}}, y); }), "run: cancelled by its host");
    EXPECT_EQ(blocks_done + went_on, 0);
    EXPECT_THROW(session.Run({{x, Ones(8)}}, y), CancelledError);
  }
}

TEST(Cancelling, LeavesNoUpdateHalfDone) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {8});
  const Node w = Variable("W", BroadcastTo(Constant(graph, 1.0), {8}));
  const Node v = Variable("V", BroadcastTo(Constant(graph, 1.0), {8}));
  graph.AddUpdate(w, w + Apply(kCall, x));
  graph.AddUpdate(v, v + Apply(kSlow, Apply(kCall, x)));
  VariableStore store;
  Initialize(graph, store);
  ManyThreads many(3);
  std::stop_source host;
  Session session(graph, store, {.runner = &many.runner(), .stop = host.get_token()});
  in_block = [&](uint32_t) { host.request_stop(); };
  session.Step({{x, Ones(8)}}, {});
  EXPECT_THROW(session.Step({{x, Ones(8)}}, {}), CancelledError);
  for (const char* name : {"W", "V"}) EXPECT_THAT(store.Get(name).values<float>(), testing::Each(2.0F)) << name;
}

// What a host cancels around a run in its arena neither cuts steps short nor goes unnoticed by them.
TEST(Cancelling, OfTheHostsOwnTasksLeavesTheRunWhole) {
  const oneapi::tbb::global_control more(oneapi::tbb::global_control::max_allowed_parallelism, 3);
  oneapi::tbb::task_arena arena(3);
  arena.execute([] {
    TbbRunner runner{TbbRunner::HostArena{}};
    Graph graph;
    const Node x = Placeholder(graph, "X", {8});
    const Node y = Apply(kSlow, x) + Apply(kSlow, Apply(kCall, x));
    VariableStore store;
    Session session(graph, store, {.runner = &runner});
    oneapi::tbb::task_group host;
    blocks_done = 0;
    in_block = [&](uint32_t) { host.cancel(); };
    host.run_and_wait([&] { EXPECT_THAT(session.Run({{x, Ones(8)}}, y).values<float>(), testing::Each(2.0F)); });
    EXPECT_EQ(blocks_done, 2 * static_cast<int>(kSlowBlocks));
  });
}

}  // namespace
}  // namespace weft
