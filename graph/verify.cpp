// The rules of a legal graph, one function each.
#include "weft/graph/verify.h"

#include <algorithm>
#include <vector>

#include <boost/graph/depth_first_search.hpp>
#include <boost/graph/two_bit_color_map.hpp>
#include <boost/range/iterator_range.hpp>
#include <fmt/format.h>

#include "weft/graph/boost_graph.h"
#include "weft/graph/error.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

std::string NameOf(const Graph& graph, NodeId id) {
  return Index(id) < graph.size() ? fmt::format("'{}'", Escaped(graph.name(id).str()))
                                  : fmt::format("node {}", Index(id));
}

[[noreturn]] void Fail(const Graph& graph, NodeId id, std::string_view reason) {
  throw GraphError(fmt::format("Verify: {}: {}", NameOf(graph, id), reason));
}

void VerifyOperandsExist(const Graph& graph) {
  for (Edge edge : boost::make_iterator_range(edges(graph))) {
    if (Index(edge.source) >= graph.size()) {
      Fail(graph, edge.target,
           fmt::format("operand {}: got node {}, expected one of {}", edge.operand, Index(edge.source), graph.size()));
    }
  }
}

// Each use is an operand, none twice, and there are as many: so they are the same edges.
void VerifyUses(const Graph& graph) {
  size_t uses = 0;
  for (NodeId id : boost::make_iterator_range(vertices(graph))) {
    const Edge* last = nullptr;
    for (const Edge& use : graph.uses(id)) {
      const bool is_operand = use.source == id && Index(use.target) < graph.size() &&
                              use.operand < graph.operands(use.target).size() &&
                              graph.operands(use.target)[use.operand] == id;
      if (!is_operand)
        Fail(graph, id,
             fmt::format("is not operand {} of {}, though listed as a use", use.operand, NameOf(graph, use.target)));
      if (last != nullptr && !(*last < use))
        Fail(graph, id, fmt::format("lists its uses by {} out of order or twice", NameOf(graph, use.target)));
      last = &use;
      ++uses;
    }
  }
  if (uses == num_edges(graph)) return;
  for (Edge edge : boost::make_iterator_range(edges(graph))) {
    if (std::ranges::count(graph.uses(edge.source), edge) == 0) {
      Fail(graph, edge.source,
           fmt::format("does not know that it is operand {} of {}", edge.operand, NameOf(graph, edge.target)));
    }
  }
}

struct RefuseCycle : boost::default_dfs_visitor {
  static void back_edge(const Edge& edge, const Graph& graph) {
    Fail(graph, edge.source, fmt::format("is on a cycle, through {}", NameOf(graph, edge.target)));
  }
};

void VerifyAcyclic(const Graph& graph) {
  boost::depth_first_search(graph, RefuseCycle(), boost::make_two_bit_color_map(graph.size(), NodeIndexMap{}));
}

void VerifyOrder(const Graph& graph) {
  for (Edge edge : boost::make_iterator_range(edges(graph))) {
    if (edge.source >= edge.target)
      Fail(graph, edge.target, fmt::format("comes before its operand {}", NameOf(graph, edge.source)));
  }
}

void VerifyNames(const Graph& graph) {
  for (NodeId id : boost::make_iterator_range(vertices(graph))) {
    if (graph.name(id).is_root()) Fail(graph, id, fmt::format("node {} has no name", Index(id)));
    const NodeId found = graph.FindId(graph.name(id));
    if (found != id)
      Fail(graph, id,
           found == kNoNode ? "is not found by its name" : fmt::format("shares its name with node {}", Index(found)));
  }
  for (const auto& [alias, id] : graph.aliases()) {
    if (Index(id) >= graph.size() || graph.FindId(alias) != id)
      Fail(graph, id, fmt::format("is not found by its alias '{}'", Escaped(alias)));
  }
}

// Builds the same nodes once more, so that every type rule runs on the types that are stored.
void VerifyTypes(const Graph& graph) {
  Graph again;
  std::vector<Node> operands;
  for (NodeId id : boost::make_iterator_range(vertices(graph))) {
    operands.clear();
    for (NodeId operand : graph.operands(id)) operands.push_back(again.node(operand));
    const Node node = again.AddAt(graph.name(id), graph.op(id), operands, graph.attributes(id));
    const TensorType& stored = graph.type(id);
    if (node.dtype() != stored.dtype || node.shape() != stored.shape) {
      Fail(graph, id,
           fmt::format("got type {}, expected {} by the rule of {}", ToString(stored), ToString(node.type()),
                       *graph.op(id).name));
    }
    again.SetKind(node, stored.kind);
  }
}

void VerifyPairs(const Graph& graph, std::span<const Graph::Pair> pairs, std::string_view what) {
  std::vector<bool> has_one(graph.size());
  for (const auto& [variable, value] : pairs) {
    if (Index(variable) >= graph.size() || Index(value) >= graph.size())
      Fail(graph, variable, fmt::format("{}: got a node of another graph", what));
    if (!graph.op(variable).is_source(SourceKind::kVariable))
      Fail(graph, variable, fmt::format("{}: got a {}, expected a variable", what, *graph.op(variable).name));
    if (has_one[Index(variable)]) Fail(graph, variable, fmt::format("{}: got two, expected one", what));
    has_one[Index(variable)] = true;
    const TensorType& expected = graph.type(variable);
    if (graph.type(value).dtype != expected.dtype || graph.type(value).shape != expected.shape) {
      Fail(graph, variable,
           fmt::format("{}: got {} {}, expected {}", what, NameOf(graph, value), ToString(graph.type(value)),
                       ToString(expected)));
    }
  }
}

void VerifyCollections(const Graph& graph) {
  for (const auto& [key, nodes] : graph.collections()) {
    for (NodeId id : nodes) {
      if (Index(id) >= graph.size())
        Fail(graph, id, fmt::format("in collection '{}': got a node of another graph", Escaped(key)));
    }
  }
}

}  // namespace

void Verify(const Graph& graph) {
  VerifyOperandsExist(graph);
  VerifyUses(graph);
  VerifyAcyclic(graph);
  VerifyOrder(graph);
  VerifyNames(graph);
  VerifyTypes(graph);
  VerifyPairs(graph, graph.updates(), "update");
  VerifyPairs(graph, graph.initial_values(), "initial value");
  VerifyCollections(graph);
}

}  // namespace weft
