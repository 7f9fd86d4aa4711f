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
  std::string base = BelowScope(*op.name);
  uint32_t& counter = counters_[base];
  std::string name = FreeName(base, counter);
  const Node node = Append(op, operands, std::move(attributes), Path(std::move(name)), false);
  ++counter;  // only now: a refused node takes no name
  return node;
}

Node Graph::AddNamed(std::string_view name, const OpDef& op, std::vector<Node> operands, Attributes attributes) {
  return AddAt(scope_ / Path(name), op, operands, std::move(attributes));
}

Node Graph::AddAt(Path path, const OpDef& op, std::span<const Node> operands, Attributes attributes) {
  return Append(op, operands, std::move(attributes), std::move(path), true);
}

void Graph::Reserve(size_t nodes) { names_.Reserve(nodes); }

std::string Graph::BelowScope(std::string_view base) const {
  std::string path = scope_.str();
  if (!path.empty()) path += '/';
  return path += base;
}

std::string Graph::FreeName(const std::string& base, uint32_t& counter) const {
  std::string name = base;
  const auto count = [&] {
    name.resize(base.size());
    name += '_';
    name += std::to_string(counter);
  };
  if (counter > 0) count();
  while (names_.Find(name) != kNoNode) {
    ++counter;
    count();
  }
  return name;
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
  record.operands.reserve(operands.size());
  for (const Node& operand : operands) record.operands.push_back(operand.id());
  nodes_.push_back(std::move(record));
  const Path& kept = nodes_.back().name;  // the index refers to it
  if (!names_.Insert(kept.str(), id)) {
    const Path taken = kept;
    nodes_.pop_back();
    FailTaken(taken);
  }
  for (uint32_t i = 0; i < operands.size(); ++i)
    nodes_[Index(operands[i].id())].uses.push_back({operands[i].id(), id, i});
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

NodeId Graph::FindId(const Path& name) const { return names_.Find(name.str()); }

void Graph::Rename(Node node, const Path& name) {
  RequireOwn(node, name.str());
  if (name.is_root())
    throw GraphError(fmt::format("name of '{}': got the root, expected a name", Escaped(node.name().str())));
  const NodeId owner = FindId(name);
  if (owner != kNoNode && owner != node.id()) FailTaken(name);
  Record& record = nodes_[Index(node.id())];
  if (record.stated) {
    if (owner == kNoNode) names_.Insert(aliases_.emplace(name.str(), node.id()).first->first, node.id());
    return;
  }
  names_.Erase(record.name.str());
  record.name = name;
  record.stated = true;
  names_.Insert(record.name.str(), node.id());
}

void Graph::MoveName(Node from, Node to) {
  RequireOwn(from, "MoveName");
  Record& record = nodes_[Index(from.id())];
  const Path name = record.name;
  names_.Erase(name.str());
  record.name = UniqueName(*record.op->name);
  record.stated = false;
  names_.Insert(record.name.str(), from.id());
  Rename(to, name);
}

std::vector<NodeId> Graph::Retain(const std::vector<bool>& kept) {
  std::vector<NodeId> now(nodes_.size(), kNoNode);
  uint32_t count = 0;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (kept[i]) now[i] = NodeId{count++};
  }
  names_ = {};
  names_.Reserve(count + aliases_.size());
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (!kept[i]) continue;
    Record& record = nodes_[Index(now[i])];
    if (&record != &nodes_[i]) record = std::move(nodes_[i]);
    record.stated = true;
    for (NodeId& operand : record.operands) operand = now[Index(operand)];
    std::erase_if(record.uses, [&](const Edge& use) { return !kept[Index(use.target)]; });
    for (Edge& use : record.uses) use = {now[Index(use.source)], now[Index(use.target)], use.operand};
    names_.Insert(record.name.str(), now[i]);
  }
  nodes_.erase(nodes_.begin() + count, nodes_.end());
  std::erase_if(aliases_, [&](const auto& alias) { return !kept[Index(alias.second)]; });
  for (auto& [alias, id] : aliases_) names_.Insert(alias, id = now[Index(id)]);
  return now;
}

Path Graph::UniqueName(std::string_view base) {
  const std::string path = BelowScope(base);
  uint32_t& counter = counters_[path];
  Path name = FreeName(path, counter);
  ++counter;
  return name;
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
