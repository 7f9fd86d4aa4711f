// Deduplicate: nodes of equal op, operands and attributes compute the same, so one of them does it for all.
//
// In the order of ids, so that what hangs on a duplicate is found to be a duplicate too. Kinds must agree as well: they
// tell later type rules what the numbers mean.
#include <algorithm>
#include <functional>
#include <unordered_set>

#include "weft/graph/compile/passes.h"
#include "weft/graph/compile/rebuilder.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

// Compares nodes by what stands for their operands.
struct SameNode {
  const Graph& graph;
  const std::vector<NodeId>& first;  // of equal nodes, by id

  size_t operator()(NodeId id) const {
    size_t hash = std::hash<const OpDef*>{}(&graph.op(id)) ^ graph.attributes(id).Hash();
    for (NodeId operand : graph.operands(id))
      hash = hash * 0x9E3779B97F4A7C15u + Index(first[Index(operand)]);  // 2⁶⁴ / golden ratio
    return hash;
  }
  bool operator()(NodeId a, NodeId b) const {
    const auto same = [this](NodeId x, NodeId y) { return first[Index(x)] == first[Index(y)]; };
    return &graph.op(a) == &graph.op(b) && std::ranges::equal(graph.operands(a), graph.operands(b), same) &&
           graph.type(a) == graph.type(b) && graph.attributes(a) == graph.attributes(b);
  }
};

// What is fed and what is stored differ by name alone.
bool HasIdentity(const OpDef& op) {
  return op.is_source(SourceKind::kPlaceholder) || op.is_source(SourceKind::kVariable);
}

}  // namespace

CompileGraph Deduplicate(const CompileGraph& from) {
  const Graph& graph = from.graph;
  std::vector<NodeId> first(graph.size());
  const SameNode same{graph, first};
  std::unordered_set<NodeId, SameNode, SameNode> known(graph.size(), same, same);
  for (uint32_t i = 0; i < graph.size(); ++i) {
    const NodeId id{i};
    first[i] = HasIdentity(graph.op(id)) ? id : *known.insert(id).first;
  }
  Rebuilder rebuilder(graph, "Deduplicate");
  for (uint32_t i = 0; i < graph.size(); ++i) {
    const NodeId id{i};
    if (first[i] == id) rebuilder.Copy(id);
    else rebuilder.Replace(id, rebuilder.Now(first[i]));
  }
  return std::move(rebuilder).Finish(from.fetches, from.updates);
}

}  // namespace weft
