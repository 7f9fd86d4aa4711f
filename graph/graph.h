// Graph: what is computed. Nodes in the order of their creation, with names; no memory, no threads, no arithmetic.
//
//   Graph graph;
//   Node x = Placeholder(graph, "X", {kBatch, 784});
//   Node y = Sigmoid(x * 2.0);
//   y.type()   // f32[N, 784] probability
//   y.name()   // Sigmoid
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "weft/graph/attributes.h"
#include "weft/graph/hash_index.h"
#include "weft/graph/node_id.h"
#include "weft/graph/path.h"
#include "weft/graph/storage.h"
#include "weft/graph/tensor_type.h"

namespace weft {

struct OpDef;
class Graph;

// A handle: cheap to copy, valid as long as its Graph lives where it is. Every op has exactly one result.
class Node {
 public:
  Node(Graph& graph, NodeId id) : graph_(&graph), id_(id) {}  // node `id` of the graph: nothing is checked

  Graph& graph() const { return *graph_; }
  NodeId id() const { return id_; }
  const OpDef& op() const;
  const TensorType& type() const;  // f32[N, 784]
  const Shape& shape() const { return type().shape; }
  DType dtype() const { return type().dtype; }
  const Path& name() const;                                          // Encoder/H
  Node operand(size_t i) const { return {*graph_, operands()[i]}; }  // i < operands().size()
  std::span<const NodeId> operands() const;
  const Attributes& attributes() const;
  bool operator==(const Node&) const = default;

 private:
  Graph* graph_;
  NodeId id_;
};

// The use of a node as operand number `operand` of another: data flows from source to target.
struct Edge {
  NodeId source, target;
  uint32_t operand;
  auto operator<=>(const Edge&) const = default;
};

// Append-only, so operands precede their users, a loop over ids is a topological order, and a cycle cannot be written
// down. Built by one thread at a time: a node that comes from another meanwhile is refused.
class Graph {
 public:
  using Pair = std::pair<NodeId, NodeId>;  // variable, value

  Graph() = default;
  Graph(Graph&&) = default;  // handles to the old place are no longer valid
  Graph& operator=(Graph&&) = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // Appends a node under an automatic name: the op's name in the current scope, with a counter from the second one on.
  // Throws GraphError if the op's type rule refuses the operands, if one of them is of another graph, or if another
  // thread is adding a node.
  Node Add(const OpDef& op, std::span<const Node> operands, Attributes attributes = {});
  Node Add(const OpDef& op, std::initializer_list<Node> operands, Attributes attributes = {}) {
    return Add(op, std::span(operands.begin(), operands.size()), std::move(attributes));
  }
  // The same under a stated name (in the current scope), which must be free.
  Node AddNamed(std::string_view name, const OpDef& op, std::span<const Node> operands, Attributes attributes = {});
  Node AddNamed(std::string_view name, const OpDef& op, std::initializer_list<Node> operands,
                Attributes attributes = {}) {
    return AddNamed(name, op, std::span(operands.begin(), operands.size()), std::move(attributes));
  }
  // The same under a whole path: the current scope is left aside.
  Node AddAt(Path path, const OpDef& op, std::span<const Node> operands, Attributes attributes = {});

  size_t size() const { return nodes_.size(); }
  Node node(NodeId id) { return {*this, id}; }                                // a handle; as below, id < size()
  const OpDef& op(NodeId id) const { return *nodes_[Index(id)].op; }          // what it computes
  const TensorType& type(NodeId id) const { return nodes_[Index(id)].type; }  // element type and shape
  const Path& name(NodeId id) const { return nodes_[Index(id)].name; }        // its whole path
  bool has_stated_name(NodeId id) const { return nodes_[Index(id)].stated; }  // not an automatic one
  const Attributes& attributes(NodeId id) const { return nodes_[Index(id)].attributes; }    // of the op
  std::span<const NodeId> operands(NodeId id) const { return nodes_[Index(id)].operands; }  // in order
  std::span<const Edge> uses(NodeId id) const { return nodes_[Index(id)].uses; }            // by whom, as which operand

  // Names. A node has one name and any number of aliases; `Find` knows them all.
  Node Find(const Path& name);  // throws GraphError, and suggests the nearest spelling
  NodeId FindId(const Path& name) const { return IdOf(name.str()); }  // kNoNode if there is none
  // Replaces an automatic name by a stated one; a node that has a stated name gets an alias. The name is taken as it
  // is, not below the current scope. Throws GraphError if it belongs to another node, or is the root.
  void Rename(Node node, const Path& name);
  // The name of `from` becomes that of `to`, or an alias of it, as by Rename; `from` has none until it is renamed.
  void MoveName(Node from, Node to);
  // `base` in the current scope, with a counter if that is taken ("FullyConnected_1"), reserved for a layer's scope.
  Path UniqueName(std::string_view base);
  std::span<const std::pair<std::string, NodeId>> aliases() const { return aliases_; }  // in the order of their making
  // What the node's numbers mean, where no type rule can know it.
  void SetKind(Node node, ValueKind kind);

  // For graphs in the making, which have neither pairs nor collections; nothing is checked. `order` lists nodes behind
  // those that they read.
  //
  // A copy of these nodes, with their names, all of them stated now. An operand that is not among them is kNoNode.
  Graph Part(std::span<const NodeId> order) const;
  // Only these nodes, in this order, and no name is automatic any more. Returns the new ids.
  std::vector<NodeId> Retain(std::span<const NodeId> order);
  // Node i of the operands becomes now[i]. Uses are right again after Retain.
  void Redirect(NodeId node, std::span<const NodeId> now);
  void SetAttributes(NodeId node, Attributes attributes) { nodes_[Index(node)].attributes = std::move(attributes); }
  void SetType(NodeId node, const TensorType& type) { nodes_[Index(node)].type = type; }

  // The current scope: the prefix of new names. Changed by Scope (scope.h).
  const Path& scope() const { return scope_; }
  void set_scope(Path scope) { scope_ = std::move(scope); }

  // State moves only through (variable, next value) pairs; a variable has at most one. Throws GraphError if the types
  // differ.
  void AddUpdate(Node variable, Node next_value);
  std::span<const Pair> updates() const { return updates_; }
  // The value a variable has before the first step, as a node.
  void AddInitialValue(Node variable, Node value);
  std::span<const Pair> initial_values() const { return initial_values_; }

  // Ordered lists of nodes under a key, "layer_tensor/Encoder". Nothing in the library depends on them.
  void AddToCollection(std::string_view key, Node node);
  const std::map<std::string, std::vector<NodeId>, std::less<>>& collections() const { return collections_; }

 private:
  struct Record {
    const OpDef* op;
    std::span<NodeId> operands;
    Attributes attributes;
    TensorType type;
    Path name;
    bool stated;
    bool has_update = false, has_initial_value = false;
    std::span<Edge> uses = {};  // in memory for the next power of two
  };

  // Set while a node is appended. A graph that was moved is a new place.
  struct Occupied {
    std::atomic<bool> by_someone = false;
    Occupied() = default;
    Occupied(Occupied&&) noexcept {}
    Occupied& operator=(Occupied&&) noexcept { return *this; }
  };
  class Appending;

  NodeId IdOf(std::string_view name) const;
  std::string BelowScope(std::string_view base) const;
  // `base`, or with the next number that is free: `counter` afterwards, which the caller counts up.
  std::string FreeName(const std::string& base, uint32_t& counter) const;
  Node Append(const OpDef& op, std::span<const Node> operands, Attributes attributes, Path name, bool stated);
  void AddPair(std::vector<Pair>& pairs, bool Record::*has_one, Node variable, Node value, std::string_view what);
  void AddUse(const Edge& use);
  void Renumber(std::span<const NodeId> now);  // after nodes have moved
  void IndexName(NodeId id);
  void ForgetName(NodeId id);
  [[noreturn]] void FailTaken(const Path& name) const;
  void RequireOwn(const Node& node, std::string_view who) const;

  Occupied occupied_;
  StableVector<Record> nodes_;  // types and names that were handed out stay where they are while it grows
  Arena<NodeId> operand_lists_;
  Arena<Edge> use_lists_;
  HashIndex names_;  // of the nodes
  std::vector<std::pair<std::string, NodeId>> aliases_;
  HashIndex alias_names_;  // of the aliases
  // The next number of an automatic name; a reserved scope has one, too.
  std::unordered_map<std::string, uint32_t> counters_;
  Path scope_;
  std::vector<Pair> updates_;
  std::vector<Pair> initial_values_;
  std::map<std::string, std::vector<NodeId>, std::less<>> collections_;
};

// The place of each of `count` nodes in `order`; kNoNode for one that is not in it.
std::vector<NodeId> PlacesIn(std::span<const NodeId> order, size_t count);

}  // namespace weft
