// Copying nodes, and carrying their names.
#include "weft/graph/compile/rebuilder.h"

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

void KeepNeeded(CompileGraph& state) {
  std::vector<bool> needed(state.graph.size());
  for (NodeId id : Wanted(state.fetches, state.updates)) needed[Index(id)] = true;
  bool all = true;
  for (size_t i = needed.size(); i-- > 0;) {  // users before their operands
    all = all && needed[i];
    if (!needed[i]) continue;
    for (NodeId operand : state.graph.operands(NodeId{static_cast<uint32_t>(i)})) needed[Index(operand)] = true;
  }
  if (all) return;
  const std::vector<NodeId> now = state.graph.Retain(needed);
  for (NodeId& fetch : state.fetches) fetch = now[Index(fetch)];
  for (auto& [variable, next_value] : state.updates) {
    variable = now[Index(variable)];
    next_value = now[Index(next_value)];
  }
}

}  // namespace

std::vector<NodeId> Wanted(std::span<const NodeId> fetches, std::span<const Graph::Pair> updates) {
  std::vector<NodeId> wanted(fetches.begin(), fetches.end());
  for (const auto& [variable, next_value] : updates) wanted.insert(wanted.end(), {next_value, variable});
  return wanted;
}

Rebuilder::Rebuilder(const Graph& from, std::string_view pass, int64_t batch)
    : from_(from), pass_(pass), batch_(batch), now_(from.size(), kNoNode) {
  graph_.set_scope(UnusedScope(from, pass));
  graph_.Reserve(from.size());
}

std::span<const Node> Rebuilder::Operands(NodeId old) {
  operands_.clear();
  for (NodeId operand : from_.operands(old)) operands_.push_back(Now(operand));
  return operands_;
}

Node Rebuilder::Copy(NodeId old) {
  const Node copy = graph_.AddAt(from_.name(old), from_.op(old), Operands(old), BoundAttributes(old));
  RequireType(old, copy);
  graph_.SetKind(copy, from_.type(old).kind);
  now_[Index(old)] = copy.id();
  return copy;
}

void Rebuilder::Replace(NodeId old, Node by) {
  RequireType(old, by);
  if (!graph_.has_stated_name(by.id())) graph_.SetKind(by, from_.type(old).kind);
  if (Has(old)) graph_.MoveName(Now(old), by);
  else graph_.Rename(by, from_.name(old));
  now_[Index(old)] = by.id();
}

void Rebuilder::RequireType(NodeId old, const Node& by) const {
  const TensorType& type = from_.type(old);
  const Shape shape = Bound(type.shape, old);
  if (by.dtype() == type.dtype && by.shape() == shape) return;
  const TensorType expected = {.dtype = type.dtype, .shape = shape, .kind = type.kind};
  throw GraphError(fmt::format("{} of {} '{}': got {}, expected {}", pass_, *from_.op(old).name,
                               Escaped(from_.name(old).str()), ToString(by.type()), ToString(expected)));
}

CompileGraph Rebuilder::Finish(std::span<const NodeId> fetches, std::span<const Graph::Pair> updates) && {
  for (const auto& [alias, id] : from_.aliases()) {
    if (Has(id)) graph_.Rename(Now(id), alias);
  }
  graph_.set_scope({});
  CompileGraph result;
  for (NodeId fetch : fetches) result.fetches.push_back(now_[Index(fetch)]);
  for (const auto& [variable, next_value] : updates)
    result.updates.emplace_back(now_[Index(variable)], now_[Index(next_value)]);
  result.graph = std::move(graph_);
  KeepNeeded(result);
  return result;
}

Attributes Rebuilder::BoundAttributes(NodeId old) const {
  Attributes attributes = from_.attributes(old);
  for (const auto& [key, value] : from_.attributes(old)) {
    const Shape* shape = std::get_if<Shape>(&value);
    if (shape != nullptr && !shape->is_bound()) attributes.Set(key, Bound(*shape, old));
  }
  return attributes;
}

Shape Rebuilder::Bound(const Shape& shape, NodeId old) const {
  if (shape.is_bound()) return shape;
  if (batch_ >= 0) return shape.Bound(batch_);
  throw GraphError(fmt::format("{} of {} '{}': got {}, expected a batch size for N", pass_, *from_.op(old).name,
                               Escaped(from_.name(old).str()), ToString(shape)));
}

}  // namespace weft
