// Times of kernels, for who changes one: every op of the table over its own samples, stretched, and the products of the
// tutorial's network. One thread; a new op is here without a line written for it. And of a checkpoint that is read.
//
//   build/release/tests/benchmarks/weft_benchmarks --benchmark_filter='Exp|MatMul'
#include <algorithm>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "weft/graph/runtime/checkpoint.h"
#include "weft/graph/runtime/session.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"
#include "weft/tests/benchmarks/run_benchmarks.h"
#include "weft/tests/support/op_matrix.h"
#include "weft/tests/support/temporary_directory.h"

namespace weft {
namespace {

// A program over one node, all of whose operands are fed.
void Run(benchmark::State& state, Node result, const std::map<NodeId, Tensor>& feeds, int64_t work) {
  VariableStore nothing;
  Session session(result.graph(), nothing, {.threads = 1});
  std::vector<Node> fed;
  for (const auto& [id, value] : feeds) fed.push_back(result.graph().node(id));
  PreparedRun run = session.Prepare({result}, {.fed = fed});
  for (const Node& node : fed) {
    if (run.Reads(node)) std::ranges::copy(feeds.at(node.id()).bytes(), run.Input(node).begin());
  }
  for (auto _ : state) run.Run();
  state.SetItemsProcessed(state.iterations() * work);
}

void RunOp(benchmark::State& state, const OpDef* op, size_t sample) {
  constexpr int64_t kElements = 1 << 18;  // 1 MiB of f32: more than the nearest caches
  const auto graph = BuildStretched(*op, op->samples().samples[sample], DType::kFloat32, kElements);
  if (graph == nullptr) return state.SkipWithError("has no larger sample");
  Run(state, graph->y(), graph->feeds, ElementCount(graph->y().shape()));
  state.SetLabel(graph->label);
}

void RunMatMul(benchmark::State& state, int64_t rows, int64_t inner, int64_t columns, const MatMulOptions& options) {
  Graph graph;
  const auto matrix = [&](const char* name, int64_t height, int64_t width, bool transposed) {
    return Placeholder(graph, name, transposed ? Shape{width, height} : Shape{height, width});
  };
  const Node left = matrix("Left", rows, inner, options.transpose_left);
  const Node right = matrix("Right", inner, columns, options.transpose_right);
  const Domain domain = {.low = -1, .high = 1};
  const std::map<NodeId, Tensor> feeds = {{left.id(), DrawValues(domain, left.shape(), DType::kFloat32, 1)},
                                          {right.id(), DrawValues(domain, right.shape(), DType::kFloat32, 2)}};
  Run(state, MatMul(left, right, options), feeds, 2 * rows * inner * columns);  // items are FLOPs
}

void RunRestore(benchmark::State& state) {
  const TemporaryDirectory directory;
  const Tensor weights(DType::kFloat32, {int64_t{1} << 23});  // 32 MiB
  VariableStore variables;
  variables.Set("W", weights);
  Save(variables, directory / "file");
  for (auto _ : state) Restore(directory / "file", {}, variables);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(weights.bytes().size()));
}

void RegisterAll() {
  for (const OpDef* op : AllOps()) {
    for (size_t sample = 0; sample < op->samples().samples.size(); ++sample) {
      const std::string name = std::string(*op->name) + "/" + std::to_string(sample);
      benchmark::RegisterBenchmark(name.c_str(), RunOp, op, sample)->Unit(benchmark::kMicrosecond);
    }
  }
  const auto product = [](const char* name, int64_t rows, int64_t inner, int64_t columns, MatMulOptions options) {
    benchmark::RegisterBenchmark(name, RunMatMul, rows, inner, columns, options)->Unit(benchmark::kMicrosecond);
  };
  // Batch 128, 784 pixels, 512 hidden units: forward, gradient of the weights, gradient of the input.
  product("VaeMatMul/hidden", 128, 512, 512, {});
  product("VaeMatMul/hidden_weights", 512, 128, 512, {.transpose_left = true});
  product("VaeMatMul/hidden_input", 128, 512, 512, {.transpose_right = true});
  product("VaeMatMul/pixels", 128, 784, 512, {});
  product("VaeMatMul/pixels_weights", 784, 128, 512, {.transpose_left = true});
  product("VaeMatMul/latent", 128, 512, 2, {});
  product("VaeMatMul/one_image", 1, 512, 784, {});
  benchmark::RegisterBenchmark("Checkpoint/restore", RunRestore)->Unit(benchmark::kMillisecond);
}

}  // namespace
}  // namespace weft

int main(int count, char** arguments) { return weft::RunBenchmarks(count, arguments, weft::RegisterAll); }
