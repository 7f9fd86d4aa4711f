// Simplify: each op's own rule, and identities dropped.
#include <fmt/format.h>

#include "weft/graph/compile/passes.h"
#include "weft/graph/compile/rewriter.h"
#include "weft/graph/error.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

// Far more than rules that make a node cheaper can need in a row: two rules that undo each other are found.
constexpr int kMaxRewrites = 64;

bool IsIdentity(const Node& node) {
  const OpDef& op = node.op();
  return (op.is_view() || op.traits.broadcasts) && node.operand(0).dtype() == node.dtype() &&
         node.operand(0).shape() == node.shape();
}

std::optional<Node> Simpler(const Node& node) {
  std::optional<Node> simpler;
  if (IsIdentity(node)) simpler = node.operand(0);
  else if (node.op().simplify != nullptr) simpler = node.op().simplify(node);
  if (!simpler || *simpler == node) return std::nullopt;
  // A probability that stood behind a plain node must not come to stand before a type rule that refuses it.
  const ValueKind kind = simpler->type().kind;
  return kind == ValueKind::kPlain || kind == node.type().kind ? simpler : std::nullopt;
}

Node Simplest(Node node) {
  for (int i = 0; i < kMaxRewrites; ++i) {
    const std::optional<Node> simpler = Simpler(node);
    if (!simpler) return node;
    node = *simpler;
  }
  throw GraphError(fmt::format("Simplify: the rules of {} come to no end", *node.op().name));
}

}  // namespace

CompileGraph Simplify(CompileGraph state) {
  Rewriter rewriter(std::move(state), "Simplify");
  for (uint32_t i = 0; i < rewriter.size(); ++i) {
    const Node node = rewriter.Visit(NodeId{i});
    if (const Node simplest = Simplest(node); simplest != node) rewriter.Replace(node.id(), simplest);
  }
  return std::move(rewriter).Finish();
}

}  // namespace weft
