// Appending nodes, and the tree of names.
#include "weft/graph/graph.h"

#include <fmt/format.h>

#include "weft/graph/error.h"
#include "weft/graph/op.h"

namespace weft {

const OpDef& Node::op() const { return graph_->op(id_); }
const TensorType& Node::type() const { return graph_->type(id_); }
const Path& Node::name() const { return graph_->name(id_); }
std::span<const NodeId> Node::operands() const { return graph_->operands(id_); }
const Attributes& Node::attributes() const { return graph_->attributes(id_); }

Node Graph::Add(const OpDef& op, std::vector<Node> operands, Attributes attributes) {
  const std::string base = (scope_ / Path(*op.name)).str();
  uint32_t& counter = counters_[base];
  std::string name = counter == 0 ? base : fmt::format("{}_{}", base, counter);
  while (names_.contains(name)) name = fmt::format("{}_{}", base, ++counter);
  const Node node = Append(op, operands, std::move(attributes), Path(name), false);
  ++counters_[base];  // only now: a refused node takes no name
  return node;
}

Node Graph::AddNamed(std::string_view name, const OpDef& op, std::vector<Node> operands, Attributes attributes) {
  const Path path = scope_ / Path(name);
  if (names_.contains(path.str())) FailTaken(path);
  return Append(op, operands, std::move(attributes), path, true);
}

Node Graph::Append(const OpDef& op, std::span<const Node> operands, Attributes attributes, Path name, bool stated) {
  const TypeContext context(op, name, operands, attributes);
  for (const Node& operand : operands) RequireOwn(operand, name.str());
  if (*op.arity != kVariadic && operands.size() != static_cast<size_t>(*op.arity)) {
    context.Fail(fmt::format("got {} operands, expected {}", operands.size(), *op.arity));
  }
  const NodeId id{static_cast<uint32_t>(nodes_.size())};
  if (id == kNoNode) throw ResourceError("Graph: got more than 2³² − 1 nodes");
  Record record{.op = &op,
                .operands = {},
                .attributes = {},
                .type = (*op.type)(context),
                .name = std::move(name),
                .stated = stated,
                .uses = {}};
  record.attributes = std::move(attributes);
  for (uint32_t i = 0; i < operands.size(); ++i) {
    record.operands.push_back(operands[i].id());
    nodes_[Index(operands[i].id())].uses.push_back({operands[i].id(), id, i});
  }
  names_.emplace(record.name.str(), id);
  nodes_.push_back(std::move(record));
  return {*this, id};
}

Node Graph::Find(const Path& name) {
  const NodeId id = FindId(name);
  if (id != kNoNode) return {*this, id};
  std::vector<std::string_view> known;
  for (const Record& record : nodes_) known.push_back(record.name.str());
  for (const auto& [alias, target] : aliases_) known.push_back(alias);
  throw GraphError(fmt::format("No node '{}'{}", Escaped(name.str()), DidYouMean(name.str(), known)));
}

NodeId Graph::FindId(const Path& name) const {
  const auto found = names_.find(name.str());
  return found == names_.end() ? kNoNode : found->second;
}

void Graph::Rename(Node node, const Path& name) {
  RequireOwn(node, name.str());
  if (name.is_root())
    throw GraphError(fmt::format("name of '{}': got the root, expected a name", Escaped(node.name().str())));
  const auto [at, is_new] = names_.emplace(name.str(), node.id());
  if (!is_new && at->second != node.id()) FailTaken(name);
  Record& record = nodes_[Index(node.id())];
  if (record.stated) {
    if (is_new) aliases_.emplace(name.str(), node.id());
    return;
  }
  if (is_new) names_.erase(record.name.str());
  record.name = name;
  record.stated = true;
}

Path Graph::UniqueName(std::string_view base) {
  const std::string path = (scope_ / Path(base)).str();
  uint32_t& counter = counters_[path];
  std::string name = counter == 0 ? path : fmt::format("{}_{}", path, counter);
  while (names_.contains(name)) name = fmt::format("{}_{}", path, ++counter);
  ++counter;
  return Path(name);
}

void Graph::SetKind(Node node, ValueKind kind) {
  RequireOwn(node, "SetKind");
  nodes_[Index(node.id())].type.kind = kind;
}

void Graph::AddUpdate(Node variable, Node next_value) {
  AddPair(updates_, &Record::has_update, variable, next_value, "update");
}

void Graph::AddInitialValue(Node variable, Node value) {
  AddPair(initial_values_, &Record::has_initial_value, variable, value, "initial value");
}

void Graph::AddPair(std::vector<Pair>& pairs, bool Record::*has_one, Node variable, Node value, std::string_view what) {
  RequireOwn(variable, what);
  RequireOwn(value, what);
  const auto fail = [&](std::string_view reason) {
    throw GraphError(fmt::format("{} of '{}': {}", what, variable.name().str(), reason));
  };
  if (!variable.op().is_source(SourceKind::kVariable))
    fail(fmt::format("got a {}, expected a variable", *variable.op().name));
  if (variable.dtype() != value.dtype() || variable.shape() != value.shape()) {
    fail(
        fmt::format("got '{}' {}, expected {}", value.name().str(), ToString(value.type()), ToString(variable.type())));
  }
  if (nodes_[Index(variable.id())].*has_one) fail("it has one already");
  pairs.emplace_back(variable.id(), value.id());
  nodes_[Index(variable.id())].*has_one = true;
}

void Graph::AddToCollection(std::string_view key, Node node) {
  RequireOwn(node, key);
  collections_[std::string(key)].push_back(node.id());
}

void Graph::FailTaken(const Path& name) const {
  throw GraphError(fmt::format("name '{}': taken by a {} already; stated names are never altered", Escaped(name.str()),
                               *op(FindId(name)).name));
}

void Graph::RequireOwn(const Node& node, std::string_view who) const {
  if (&node.graph() != this || Index(node.id()) >= nodes_.size()) {
    throw GraphError(fmt::format("'{}': got a node of another graph", Escaped(who)));
  }
}

}  // namespace weft
