// Appending nodes, and the tree of names.
#include "weft/graph/graph.h"

#include <algorithm>
#include <bit>
#include <functional>

#include <fmt/format.h>

#include "weft/graph/error.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

// Some GB of nodes: far above any model, below the numbers of NodeId.
constexpr size_t kMaxNodes = 10'000'000;

uint32_t HashOf(std::string_view name) { return static_cast<uint32_t>(std::hash<std::string_view>{}(name)); }

// A handle may have outlived the nodes of its graph, that were moved elsewhere.
const Graph& Known(const Graph* graph, NodeId id) {
  if (Index(id) >= graph->size())
    throw GraphError(
        fmt::format("node {}: got a graph of {} nodes: it was moved, or is another", Index(id), graph->size()));
  return *graph;
}

}  // namespace

const OpDef& Node::op() const { return Known(graph_, id_).op(id_); }
const TensorType& Node::type() const { return Known(graph_, id_).type(id_); }
const Path& Node::name() const { return Known(graph_, id_).name(id_); }
std::span<const NodeId> Node::operands() const { return Known(graph_, id_).operands(id_); }
const Attributes& Node::attributes() const { return Known(graph_, id_).attributes(id_); }

// Two threads that append at once would leave a graph that is wrong somewhere; so the second is told.
class Graph::Appending {
 public:
  Appending(Graph& graph, const OpDef& op) : occupied_(graph.occupied_.by_someone) {
    if (occupied_.exchange(true, std::memory_order_acquire))
      throw GraphError(
          fmt::format("{}: got it while another thread adds a node to the graph, expected one at a time", *op.name));
  }
  ~Appending() { occupied_.store(false, std::memory_order_release); }
  Appending(const Appending&) = delete;
  Appending& operator=(const Appending&) = delete;

 private:
  std::atomic<bool>& occupied_;
};

Node Graph::Add(const OpDef& op, std::span<const Node> operands, Attributes attributes) {
  const Appending appending(*this, op);
  std::string base = BelowScope(*op.name);
  uint32_t& counter = counters_[base];
  std::string name = FreeName(base, counter);
  const Node node = Append(op, operands, std::move(attributes), Path(std::move(name)), false);
  ++counter;  // only now: a refused node takes no name
  return node;
}

Node Graph::AddNamed(std::string_view name, const OpDef& op, std::span<const Node> operands, Attributes attributes) {
  return AddAt(scope_ / Path(name), op, operands, std::move(attributes));
}

Node Graph::AddAt(Path path, const OpDef& op, std::span<const Node> operands, Attributes attributes) {
  const Appending appending(*this, op);
  return Append(op, operands, std::move(attributes), std::move(path), true);
}

std::string Graph::BelowScope(std::string_view base) const {
  std::string path;
  path.reserve(scope_.str().size() + 1 + base.size());
  path += scope_.str();
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
  while (IdOf(name) != kNoNode) {
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
  if (nodes_.size() >= kMaxNodes)
    throw ResourceError(
        fmt::format("Graph: got more than {} nodes, the limit, at '{}'", kMaxNodes, Escaped(name.str())));
  const TensorType type = (*op.type)(context);
  if (stated && FindId(name) != kNoNode) FailTaken(name);
  Record& record = nodes_.Append({.op = &op,
                                  .operands = operand_lists_.Take(operands.size()),
                                  .attributes = std::move(attributes),
                                  .type = type,
                                  .name = std::move(name),
                                  .stated = stated});
  IndexName(id);
  for (uint32_t i = 0; i < operands.size(); ++i) {
    record.operands[i] = operands[i].id();
    AddUse({operands[i].id(), id, i});
  }
  return {*this, id};
}

void Graph::AddUse(const Edge& use) {
  std::span<Edge>& uses = nodes_[Index(use.source)].uses;
  const size_t count = uses.size();
  std::span<Edge> room(uses.data(), count + 1);
  if (count == 0 || std::has_single_bit(count)) {
    room = use_lists_.Take(std::bit_ceil(count + 1)).first(count + 1);
    std::ranges::copy(uses, room.begin());
  }
  room.back() = use;
  uses = room;
}

void Graph::IndexName(NodeId id) { names_.Insert(HashOf(name(id).str()), Index(id)); }
void Graph::ForgetName(NodeId id) { names_.Erase(HashOf(name(id).str()), Index(id)); }

Node Graph::Find(const Path& name) {
  const NodeId id = FindId(name);
  if (id != kNoNode) return {*this, id};
  std::vector<std::string_view> known;
  for (size_t i = 0; i < nodes_.size(); ++i) known.push_back(nodes_[i].name.str());
  for (const auto& [alias, target] : aliases_) known.push_back(alias);
  throw GraphError(fmt::format("No node '{}'{}", Escaped(name.str()), DidYouMean(name.str(), known)));
}

NodeId Graph::IdOf(std::string_view name) const {
  const uint32_t hash = HashOf(name);
  const uint32_t node = names_.Find(hash, [&](uint32_t i) { return nodes_[i].name.str() == name; });
  if (node != HashIndex::kNone) return NodeId{node};
  const uint32_t alias = alias_names_.Find(hash, [&](uint32_t i) { return aliases_[i].first == name; });
  return alias != HashIndex::kNone ? aliases_[alias].second : kNoNode;
}

void Graph::Rename(Node node, const Path& name) {
  RequireOwn(node, name.str());
  if (name.is_root())
    throw GraphError(fmt::format("name of '{}': got the root, expected a name", Escaped(node.name().str())));
  const NodeId owner = FindId(name);
  if (owner != kNoNode && owner != node.id()) FailTaken(name);
  Record& record = nodes_[Index(node.id())];
  if (record.stated) {
    if (owner != kNoNode) return;
    alias_names_.Insert(HashOf(name.str()), static_cast<uint32_t>(aliases_.size()));
    aliases_.emplace_back(name.str(), node.id());
    return;
  }
  if (!record.name.is_root()) ForgetName(node.id());
  record.name = name;
  record.stated = true;
  IndexName(node.id());
}

void Graph::MoveName(Node from, Node to) {
  RequireOwn(from, "MoveName");
  ForgetName(from.id());
  Record& record = nodes_[Index(from.id())];
  record.stated = false;
  Rename(to, std::exchange(record.name, {}));
}

std::vector<NodeId> PlacesIn(std::span<const NodeId> order, size_t count) {
  std::vector<NodeId> places(count, kNoNode);
  for (uint32_t i = 0; i < order.size(); ++i) places[Index(order[i])] = NodeId{i};
  return places;
}

Graph Graph::Part(std::span<const NodeId> order) const {
  Graph part;
  for (NodeId id : order) {
    const Record& record = nodes_[Index(id)];
    const std::span<NodeId> operands = part.operand_lists_.Take(record.operands.size());
    std::ranges::copy(record.operands, operands.begin());
    part.nodes_.Append({.op = record.op,
                        .operands = operands,
                        .attributes = record.attributes,
                        .type = record.type,
                        .name = record.name,
                        .stated = true});
  }
  part.names_ = names_;
  part.aliases_ = aliases_;
  part.alias_names_ = alias_names_;
  part.Renumber(PlacesIn(order, size()));
  return part;
}

std::vector<NodeId> Graph::Retain(std::span<const NodeId> order) {
  std::vector<NodeId> now = PlacesIn(order, size());
  StableVector<Record> nodes;
  for (NodeId id : order) nodes.Append(std::move(nodes_[Index(id)])).stated = true;
  nodes_ = std::move(nodes);
  counters_.clear();
  Renumber(now);
  return now;
}

void Graph::Renumber(std::span<const NodeId> now) {
  use_lists_ = {};
  for (size_t i = 0; i < nodes_.size(); ++i) nodes_[i].uses = {};
  for (uint32_t i = 0; i < nodes_.size(); ++i) {
    const std::span<NodeId> operands = nodes_[i].operands;
    for (uint32_t k = 0; k < operands.size(); ++k) {
      operands[k] = now[Index(operands[k])];
      if (operands[k] != kNoNode) AddUse({operands[k], NodeId{i}, k});
    }
  }
  names_.Renumber([&](uint32_t i) { return Index(now[i]); });
  std::vector<uint32_t> kept;  // by the old number of an alias, its new one
  uint32_t count = 0;
  for (auto& [alias, id] : aliases_) {
    id = now[Index(id)];
    kept.push_back(id != kNoNode ? count++ : HashIndex::kNone);
  }
  std::erase_if(aliases_, [](const auto& alias) { return alias.second == kNoNode; });
  alias_names_.Renumber([&](uint32_t i) { return kept[i]; });
}

void Graph::Redirect(NodeId node, std::span<const NodeId> now) {
  for (NodeId& operand : nodes_[Index(node)].operands) operand = now[Index(operand)];
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
