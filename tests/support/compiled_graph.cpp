// Feeding and fetching bytes.
#include "weft/tests/support/compiled_graph.h"

#include <cstring>

#include "weft/graph/op.h"

namespace weft {

CompiledGraph::CompiledGraph(Graph& graph, std::vector<Node> fetches, const SessionOptions& options)
    : store_(graph), session_(graph, store_, options), fetches_(std::move(fetches)), run_(session_.Prepare(fetches_)) {}

std::vector<Tensor> CompiledGraph::Run(const std::map<NodeId, Tensor>& values) {
  for (const auto& [id, value] : values) {
    const Node node = session_.graph().node(id);
    const auto bytes = value.bytes();
    if (node.op().is_source(SourceKind::kVariable)) store_.Set(node.name(), value);
    if (!node.op().is_source(SourceKind::kPlaceholder) || !run_.Reads(node) || bytes.empty()) continue;
    std::memcpy(run_.Input(node).data(), bytes.data(), bytes.size());
  }
  run_.Run();
  std::vector<Tensor> results;
  for (size_t i = 0; i < fetches_.size(); ++i) {
    Tensor& result = results.emplace_back(fetches_[i].dtype(), fetches_[i].shape());
    if (result.size() > 0) std::memcpy(result.bytes().data(), run_.Output(i).data(), result.bytes().size());
  }
  return results;
}

}  // namespace weft
