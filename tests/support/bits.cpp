// Running all there is, and hashing what comes out.
#include "weft/tests/support/bits.h"

#include <fmt/format.h>

#include "weft/ops/all_ops.h"
#include "weft/tests/support/compiled_graph.h"
#include "weft/tests/support/op_matrix.h"
#include "weft/tests/support/sha256.h"
#include "weft/tests/support/training_bits.h"

namespace weft {
namespace {

constexpr int64_t kLonger = 3000;  // elements: several blocks of the interpreter
constexpr size_t kDigits = 16;     // of a hash: what is compared is no secret

void AddBits(OpGraph& graph, Sha256& inputs, Sha256& result) {
  inputs.Add(graph.label);
  for (const auto& [id, value] : graph.feeds) inputs.Add(value.bytes());
  result.Add(CompiledGraph(graph.graph, {graph.y()}).Run(graph.feeds)[0].bytes());
}

BitsLine BitsOf(const OpDef& op, DType dtype) {
  Sha256 inputs, result;
  for (const auto& graph : OpGraphs(op, dtype)) AddBits(*graph, inputs, result);
  for (const Sample& sample : op.samples().samples) {
    if (const auto graph = BuildStretched(op, sample, dtype, kLonger)) AddBits(*graph, inputs, result);
  }
  return {.what = fmt::format("{} {}", *op.name, Name(dtype)),
          .inputs = inputs.Hex().substr(0, kDigits),
          .result = result.Hex().substr(0, kDigits)};
}

}  // namespace

std::vector<BitsLine> BitsOfOps() {
  std::vector<BitsLine> lines;
  for (const OpDef* op : AllOps()) {
    if (op->is_source() || op->is_view()) continue;
    for (const DType dtype : {DType::kFloat32, DType::kFloat64}) lines.push_back(BitsOf(*op, dtype));
  }
  return lines;
}

std::vector<BitsLine> BitsOfTraining() {
  std::vector<BitsLine> lines;
  for (const TrainingRun& run : {TrainingRun{.steps = 50}, {.steps = 10, .dtype = DType::kFloat64}}) {
    lines.push_back({.what = fmt::format("TrainedAutoencoder {}", Name(run.dtype)),
                     .inputs = fmt::format("{}-steps", run.steps),
                     .result = RunTraining(run).hash.substr(0, kDigits)});
  }
  return lines;
}

}  // namespace weft
