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

struct HashNode {
  const Graph& graph;
  size_t operator()(NodeId id) const {
    size_t hash = std::hash<const OpDef*>{}(&graph.op(id)) ^ graph.attributes(id).Hash();
    for (NodeId operand : graph.operands(id)) hash = hash * 0x9E3779B97F4A7C15u + Index(operand);  // 2⁶⁴ / golden ratio
    return hash;
  }
};

struct SameNode {
  const Graph& graph;
  bool operator()(NodeId a, NodeId b) const {
    return &graph.op(a) == &graph.op(b) && std::ranges::equal(graph.operands(a), graph.operands(b)) &&
           graph.type(a) == graph.type(b) && graph.attributes(a) == graph.attributes(b);
  }
};

// What is fed and what is stored differ by name alone.
bool HasIdentity(const OpDef& op) {
  return op.is_source(SourceKind::kPlaceholder) || op.is_source(SourceKind::kVariable);
}

}  // namespace

CompileGraph Deduplicate(const CompileGraph& from) {
  Rebuilder rebuilder(from.graph, "Deduplicate");
  std::unordered_set<NodeId, HashNode, SameNode> known(from.graph.size(), {rebuilder.graph()}, {rebuilder.graph()});
  for (uint32_t i = 0; i < from.graph.size(); ++i) {
    const NodeId id{i};
    const Node copy = rebuilder.Append(id);
    copy.graph().SetKind(copy, from.graph.type(id).kind);
    const NodeId first = HasIdentity(copy.op()) ? copy.id() : *known.insert(copy.id()).first;
    rebuilder.Replace(id, copy.graph().node(first));
  }
  return Prune(std::move(rebuilder).Finish(from.fetches, from.updates));
}

}  // namespace weft
