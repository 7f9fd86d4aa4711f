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
  std::unordered_set<std::string> used;
  const auto use = [&used](const std::string& name) { used.insert(name.substr(0, name.find('/'))); };
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

Rebuilder::Rebuilder(const Graph& from, std::string_view pass, int64_t batch)
    : from_(from), pass_(pass), batch_(batch), now_(from.size(), kNoNode) {
  graph_.set_scope(UnusedScope(from, pass));
}

std::vector<Node> Rebuilder::Operands(NodeId old) {
  std::vector<Node> operands;
  for (NodeId operand : from_.operands(old)) operands.push_back(Now(operand));
  return operands;
}

Node Rebuilder::Append(NodeId old) { return graph_.Add(from_.op(old), Operands(old), BoundAttributes(old)); }

void Rebuilder::Replace(NodeId old, Node by) {
  const TensorType& type = from_.type(old);
  const Shape shape = Bound(type.shape, old);
  if (by.dtype() != type.dtype || by.shape() != shape) {
    const TensorType expected = {.dtype = type.dtype, .shape = shape, .kind = type.kind};
    throw GraphError(fmt::format("{} of {} '{}': got {}, expected {}", pass_, *from_.op(old).name,
                                 Escaped(from_.name(old).str()), ToString(by.type()), ToString(expected)));
  }
  if (!graph_.has_stated_name(by.id())) graph_.SetKind(by, type.kind);
  graph_.Rename(by, from_.name(old));
  now_[Index(old)] = by.id();
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
  return result;
}

Attributes Rebuilder::BoundAttributes(NodeId old) const {
  Attributes attributes = from_.attributes(old);
  for (const auto& [key, value] : from_.attributes(old)) {
    if (const Shape* shape = std::get_if<Shape>(&value)) attributes.Set(key, Bound(*shape, old));
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
