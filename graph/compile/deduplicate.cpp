// Deduplicate: nodes of equal op, operands and attributes compute the same, so one of them does it for all.
//
// In the order of ids, so that what hangs on a duplicate is found to be a duplicate too. Kinds must agree as well: they
// tell later type rules what the numbers mean.
#include <algorithm>
#include <functional>

#include "weft/graph/compile/passes.h"
#include "weft/graph/compile/rewriter.h"
#include "weft/graph/hash_index.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

// Neighbouring ids come to lie far from each other: else long runs of taken slots would meet.
uint32_t HashOf(const Node& node) {
  constexpr size_t kSpread = 0x9E3779B97F4A7C15u;  // 2⁶⁴ / golden ratio
  size_t hash = std::hash<const OpDef*>{}(&node.op()) ^ node.attributes().Hash();
  for (NodeId operand : node.operands()) hash = hash * kSpread + Index(operand);
  return static_cast<uint32_t>(hash * kSpread >> 32);
}

bool ComputeTheSame(const Node& a, const Node& b) {
  return &a.op() == &b.op() && std::ranges::equal(a.operands(), b.operands()) && a.type() == b.type() &&
         a.attributes() == b.attributes();
}

// What is fed and what is stored differ by name alone.
bool HasIdentity(const OpDef& op) {
  return op.is_source(SourceKind::kPlaceholder) || op.is_source(SourceKind::kVariable);
}

}  // namespace

CompileGraph Deduplicate(CompileGraph state) {
  Rewriter rewriter(std::move(state), "Deduplicate");
  HashIndex known;
  known.Reserve(rewriter.size());
  for (uint32_t i = 0; i < rewriter.size(); ++i) {
    const Node node = rewriter.Visit(NodeId{i});
    if (HasIdentity(node.op())) continue;
    const uint32_t hash = HashOf(node);
    const uint32_t first =
        known.Find(hash, [&](uint32_t other) { return ComputeTheSame(rewriter.graph().node(NodeId{other}), node); });
    if (first == HashIndex::kNone) known.Insert(hash, i);
    else rewriter.Replace(node.id(), rewriter.graph().node(NodeId{first}));
  }
  return std::move(rewriter).Finish();
}

}  // namespace weft
