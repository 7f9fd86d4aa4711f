// What a large graph costs before its first step: building, differentiating and each room of the compiler, in
// milliseconds of processor time. Everything should grow with the number of nodes and no faster; one shape a process
// gives an honest `peak_MiB`.
//
//   build/release/tests/benchmarks/weft_graph_scale --benchmark_filter='Chain/100000'
#include <sys/resource.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "weft/graph/compile/chain.h"
#include "weft/graph/compile/emit.h"
#include "weft/graph/compile/layout.h"
#include "weft/graph/compile/memory_plan.h"
#include "weft/graph/compile/partition.h"
#include "weft/graph/compile/passes.h"
#include "weft/graph/compile/schedule.h"
#include "weft/graph/compile/strips.h"
#include "weft/graph/runtime/session.h"
#include "weft/models/layers.h"
#include "weft/models/training/optimizers.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"
#include "weft/tests/benchmarks/run_benchmarks.h"

namespace weft {
namespace {

// ---- Shapes of graphs: each makes a scalar loss of a graph; all its variables are trained
// ----------------------------

Node NewVariable(Graph& graph, std::string_view name, const Shape& shape) {
  return Variable(name, BroadcastTo(Constant(graph, 0.5), shape));
}

Node Chain(Graph& graph, int64_t length) {
  Node y = NewVariable(graph, "W", {16});
  for (int64_t i = 0; i < length; ++i) y = Tanh(y);
  return ReduceMean(y);
}

// Many readers of one node, and their sum.
Node FanOut(Graph& graph, int64_t readers) {
  const Node w = NewVariable(graph, "W", {16});
  Node sum = w;
  for (int64_t i = 0; i < readers; ++i) sum = sum + w * (1.0 / static_cast<double>(i + 2));
  return ReduceMean(sum);
}

Node Mlp(Graph& graph, int64_t layers) {
  Node h = Placeholder(graph, "X", {4, 8}, {.default_value = 0.5});
  for (int64_t i = 0; i < layers; ++i) h = Relu(FullyConnected(h, 8));
  return ReduceMean(Square(h));
}

// Operands drawn from the last thousand nodes: elementwise of several shapes, folds and broadcasts between them.
Node RandomDag(Graph& graph, int64_t size) {
  std::mt19937_64 random(1);
  const auto below = [&random](size_t n) { return static_cast<size_t>(random() % n); };
  constexpr size_t kWindow = 1000;
  std::vector<Node> wide = {NewVariable(graph, "W", {4, 16})}, narrow = {NewVariable(graph, "V", {16})};
  const auto pick = [&](const std::vector<Node>& from) {
    return from[from.size() - 1 - below(std::min(from.size(), kWindow))];
  };
  for (int64_t i = 0; i < size; ++i) {
    switch (below(6)) {
      case 0: wide.push_back(Sigmoid(pick(wide))); break;
      case 1: wide.push_back(pick(wide) + pick(wide)); break;
      case 2: wide.push_back(pick(wide) * pick(narrow)); break;
      case 3: narrow.push_back(Tanh(pick(narrow))); break;
      case 4: narrow.push_back(pick(narrow) * pick(narrow)); break;
      default: narrow.push_back(ReduceMean(pick(wide), {0}));
    }
  }
  Node sum = ReduceMean(wide[0]) + ReduceMean(narrow[0]);
  for (size_t i = 1; i < std::min(wide.size(), kWindow); ++i) sum = sum + ReduceMean(wide[wide.size() - i]);
  return sum;
}

// ---- Phases ---------------------------------------------------------------------------------------------------------

double PeakMiB() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

class Phases {
 public:
  explicit Phases(benchmark::State& state) : state_(state) {}

  // The time since the last call belongs to `name`.
  void End(const char* name) {
    const std::clock_t now = std::clock();
    state_.counters[name] += 1e3 * static_cast<double>(now - last_) / CLOCKS_PER_SEC;
    last_ = now;
  }

 private:
  benchmark::State& state_;
  std::clock_t last_ = std::clock();
};

// The rooms of Compile, one by one.
Program CompileInPhases(const Graph& graph, NodeId loss, Phases& phases) {
  CompileGraph bound = Bind(graph, std::span(&loss, 1), graph.updates(), -1, Mode::kTraining);
  phases.End("bind");
  bound = Fold(std::move(bound));
  phases.End("fold");
  bound = Deduplicate(std::move(bound));
  phases.End("deduplicate");
  bound = Simplify(std::move(bound));
  phases.End("simplify");
  std::vector<NodeId> wanted = bound.fetches;
  for (const auto& [variable, next] : bound.updates) wanted.push_back(next);
  const EmitRequest request{.fetches = bound.fetches, .updates = bound.updates};
  PartitionResult partition = Partition(bound.graph, wanted, true);
  phases.End("partition");
  AssignLayouts(bound.graph, bound.updates, partition);
  phases.End("layout");
  Program program = Emit(std::move(bound.graph), partition, request, Mode::kTraining);
  phases.End("emit");
  program = PlaceStrips(FormChains(std::move(program)));
  phases.End("chain");
  program = PlanMemory(std::move(program), true);
  phases.End("memory");
  program = PlanSchedule(std::move(program));
  phases.End("schedule");
  return program;
}

void RunScale(benchmark::State& state, Node (*make)(Graph&, int64_t)) {
  for (auto _ : state) {
    Graph graph;
    Phases phases(state);
    const Node loss = make(graph, state.range(0));
    phases.End("build");
    Minimize(loss, Adam{});
    phases.End("minimize");
    const Program program = CompileInPhases(graph, loss.id(), phases);
    state.counters["nodes"] = static_cast<double>(graph.size());
    state.counters["steps"] = static_cast<double>(program.steps.size());
    state.counters["arena_KiB"] = static_cast<double>(program.arena_bytes) / 1024;
  }
  state.counters["peak_MiB"] = PeakMiB();
}

// What comes behind: Initialize, a session, its first and its second step.
void RunFirstSteps(benchmark::State& state, Node (*make)(Graph&, int64_t)) {
  for (auto _ : state) {
    Graph graph;
    const Node loss = make(graph, state.range(0));
    Minimize(loss, Adam{});
    Phases phases(state);
    VariableStore store(graph);
    Initialize(graph, store);
    phases.End("initialize");
    Session session(graph, store, {.threads = 2});
    PreparedRun run = session.Prepare({loss}, {.mode = Mode::kTraining, .updates = true});
    phases.End("prepare");
    run.Run();
    phases.End("first_step");
    run.Run();
    phases.End("second_step");
    state.counters["nodes"] = static_cast<double>(graph.size());
  }
  state.counters["peak_MiB"] = PeakMiB();
}

void RegisterAll() {
  const auto add = [](const std::string& name, Node (*make)(Graph&, int64_t), std::initializer_list<int64_t> sizes) {
    const auto scale = benchmark::RegisterBenchmark(name.c_str(), RunScale, make);
    const auto steps = benchmark::RegisterBenchmark(("FirstSteps" + name).c_str(), RunFirstSteps, make);
    for (const int64_t size : sizes) {
      for (auto* one : {scale, steps}) one->Arg(size)->Iterations(1)->Unit(benchmark::kMillisecond);
    }
  };
  // About 10⁴, 10⁵ and 10⁶ nodes with gradients and updates.
  add("Chain", Chain, {1'600, 16'000, 160'000});
  add("FanOut", FanOut, {1'600, 16'000, 160'000});
  add("Mlp", Mlp, {150, 1'000, 10'000});
  add("RandomDag", RandomDag, {1'000, 10'000, 100'000});
}

}  // namespace
}  // namespace weft

int main(int count, char** arguments) { return weft::RunBenchmarks(count, arguments, weft::RegisterAll); }
