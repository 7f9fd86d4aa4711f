// Scope and Named: where names come from.
//
//   Scope encoder(graph, "Encoder");
//   Node h = Named("H", Relu(x));   // Encoder/H
#pragma once

#include <string_view>
#include <utility>

#include "weft/graph/graph.h"

namespace weft {

// New names begin with this path as long as the object lives. Entering a scope again continues it.
class Scope {
 public:
  Scope(Graph& graph, const Path& name) : Scope(graph, name, graph.scope()) {}  // within the current scope
  // Leaves the current scope aside: `path` is the whole path.
  static Scope Absolute(Graph& graph, const Path& path) { return Scope(graph, path, Path()); }
  ~Scope() { graph_.set_scope(std::move(outer_)); }  // moved: a copy could throw
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  Scope(Graph& graph, const Path& name, const Path& parent) : graph_(graph), outer_(graph.scope()) {
    graph.set_scope(parent / name);
  }

  Graph& graph_;
  Path outer_;
};

// States the name of a node, in the current scope. Throws GraphError if the name is taken.
inline Node Named(std::string_view name, Node node) {
  node.graph().Rename(node, node.graph().scope() / Path(name));
  return node;
}

}  // namespace weft
