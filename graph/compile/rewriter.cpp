// Replacing nodes, and carrying their names.
#include "weft/graph/compile/rewriter.h"

#include <numeric>
#include <string>
#include <unordered_set>

#include <fmt/format.h>

#include "weft/graph/error.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

// `pass`, with a counter if `graph` uses it as the first component of a name.
Path UnusedScope(const Graph& graph, std::string_view pass) {
  std::unordered_set<std::string> used;  // of those that come into question
  const auto use = [&](const std::string& name) {
    if (name.starts_with(pass)) used.insert(name.substr(0, name.find('/')));
  };
  for (uint32_t i = 0; i < graph.size(); ++i) use(graph.name(NodeId{i}).str());
  for (const auto& [alias, id] : graph.aliases()) use(alias);
  std::string scope(pass);
  for (int count = 1; used.contains(scope); ++count) scope = fmt::format("{}_{}", pass, count);
  return scope;
}

}  // namespace

std::vector<NodeId> Wanted(std::span<const NodeId> fetches, std::span<const Graph::Pair> updates) {
  std::vector<NodeId> wanted(fetches.begin(), fetches.end());
  for (const auto& [variable, next_value] : updates) wanted.insert(wanted.end(), {next_value, variable});
  return wanted;
}

void RequireType(std::string_view pass, const Node& node, const TensorType& got, const TensorType& expected) {
  if (got.dtype == expected.dtype && got.shape == expected.shape) return;
  throw GraphError(fmt::format("{} of {} '{}': got {}, expected {}", pass, *node.op().name, Escaped(node.name().str()),
                               ToString(got), ToString(expected)));
}

Rewriter::Rewriter(CompileGraph state, std::string_view pass)
    : pass_(pass), state_(std::move(state)), now_(state_.graph.size()) {
  for (uint32_t i = 0; i < size(); ++i) now_[i] = NodeId{i};
  graph().set_scope(UnusedScope(graph(), pass));
}

Node Rewriter::Visit(NodeId old) {
  if (!made_.empty()) graph().Redirect(old, now_);
  return graph().node(old);
}

void Rewriter::Replace(NodeId old, Node by) {
  RequireType(pass_, graph().node(old), by.type(), graph().type(old));
  if (!graph().has_stated_name(by.id())) graph().SetKind(by, graph().type(old).kind);
  graph().MoveName(graph().node(old), by);
  now_[Index(old)] = by.id();
  made_.emplace_back(old, graph().size());
}

CompileGraph Rewriter::Finish() && {
  for (NodeId& fetch : state_.fetches) fetch = now_[Index(fetch)];
  for (auto& [variable, next_value] : state_.updates) {
    variable = now_[Index(variable)];
    next_value = now_[Index(next_value)];
  }
  std::vector<NodeId> order;
  order.reserve(graph().size());
  auto replaced = made_.begin();
  for (uint32_t i = 0, made = size(); i < size(); ++i) {
    order.push_back(NodeId{i});
    if (replaced == made_.end() || replaced->first != NodeId{i}) continue;
    while (made < replaced->second) order.push_back(NodeId{made++});
    ++replaced;
  }
  std::vector<bool> needed(graph().size());
  for (NodeId id : Wanted(state_.fetches, state_.updates)) needed[Index(id)] = true;
  for (size_t i = order.size(); i-- > 0;) {  // users before their operands
    if (!needed[Index(order[i])]) continue;
    for (NodeId operand : graph().operands(order[i])) needed[Index(operand)] = true;
  }
  for (const auto& [old, size] : made_) {  // what was made for a node may read it
    const Node node = graph().node(old);
    if (needed[Index(old)]) graph().Rename(node, graph().UniqueName(*node.op().name));
  }
  graph().set_scope({});
  std::erase_if(order, [&](NodeId id) { return !needed[Index(id)]; });
  if (made_.empty() && order.size() == graph().size()) return std::move(state_);
  const std::vector<NodeId> now = graph().Retain(order);
  for (NodeId& fetch : state_.fetches) fetch = now[Index(fetch)];
  for (auto& [variable, next_value] : state_.updates) {
    variable = now[Index(variable)];
    next_value = now[Index(next_value)];
  }
  return std::move(state_);
}

}  // namespace weft
