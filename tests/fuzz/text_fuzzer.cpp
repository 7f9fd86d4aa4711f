// The text form of graphs, and models as texts, told apart by their first line: what the reader accepts is a legal
// graph, is written in a form that reads as itself, and runs on zeros.
#include <cstdint>
#include <deque>
#include <string>

#include "weft/graph/error.h"
#include "weft/graph/op.h"
#include "weft/graph/runtime/session.h"
#include "weft/graph/verify.h"
#include "weft/graph/views/text.h"
#include "weft/models/model_text.h"
#include "weft/ops/all_ops.h"
#include "weft/tests/fuzz/oracle.h"
#include "weft/tests/fuzz/small_graph.h"
#include "weft/tests/support/serial_runner.h"

namespace weft {
namespace {

constexpr int64_t kBatchSize = 2;
constexpr int64_t kMostElements = 1 << 14;  // of all nodes together: larger graphs are not run

void RunOnZeros(Graph& graph) {
  static SerialRunner runner;
  VariableStore variables(graph);
  for (const Path& path : variables.Paths()) {
    variables.Find(path)->SetZeros();
    variables.Find(path)->initialised = true;
  }
  std::deque<Tensor> zeros;
  std::vector<Feed> feeds;
  for (uint32_t i = 0; i < graph.size(); ++i) {
    const Node node = graph.node(NodeId{i});
    if (!node.op().is_source(SourceKind::kPlaceholder)) continue;
    feeds.push_back({node, zeros.emplace_back(node.dtype(), node.shape().Bound(kBatchSize))});
  }
  Session session(graph, variables, {.runner = &runner});
  const std::vector<Node> fetches = {graph.node(NodeId{static_cast<uint32_t>(graph.size() - 1)})};
  session.Step(feeds, fetches);
}

// With its own defaults given, or, for some lengths, what no model takes: all of another kind, and one more.
void BuildModel(Graph& graph, std::string_view text) {
  ModelParameters given = ParametersOf(text);
  if (text.size() % 8 == 0) {
    for (auto& [name, value] : given) value = name;
    given["another"] = true;
  }
  ParseModel(graph, text, given);
}

void Check(std::string_view text) {
  Graph graph;
  try {
    if (text.starts_with("weft model")) BuildModel(graph, text);
    else graph = ParseText(text, FindOp);
  } catch (const GraphError&) {
    return;
  } catch (const ResourceError&) {
    return;
  }
  Verify(graph);
  const std::string written = ToText(graph);
  Require(ToText(ParseText(written, FindOp)) == written, "what is written is read as itself");
  if (graph.size() == 0 || !IsSmall(graph, kBatchSize, kMostElements)) return;
  try {
    RunOnZeros(graph);
  } catch (const GraphError&) {
    if (!MayBeRefusedWhenBound(graph)) throw;
  }
}

}  // namespace
}  // namespace weft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  weft::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
