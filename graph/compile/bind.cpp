// Bind: what is wanted, in canonical order, with numbers for N and choices made.
#include <fmt/format.h>

#include "weft/graph/compile/passes.h"
#include "weft/graph/compile/rebuilder.h"
#include "weft/graph/error.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

// A choice by mode needs only what it chooses.
std::span<const NodeId> NeededOperands(const Graph& graph, NodeId id, Mode mode) {
  const auto operands = graph.operands(id);
  if (!graph.op(id).traits.chooses_by_mode) return operands;
  return operands.subspan(mode == Mode::kTraining ? 0 : 1, 1);
}

// The canonical order of graph/algorithms.h, had the choices been made before.
std::vector<NodeId> NeededOrder(const Graph& graph, std::span<const NodeId> targets, Mode mode) {
  struct Visit {
    NodeId id;
    size_t next_operand;
  };
  std::vector<NodeId> order;
  std::vector<bool> seen(graph.size());
  std::vector<Visit> stack;
  const auto enter = [&](NodeId id) {
    if (!seen[Index(id)]) stack.push_back({id, 0});
    seen[Index(id)] = true;
  };
  for (NodeId target : targets) {
    enter(target);
    while (!stack.empty()) {
      const NodeId id = stack.back().id;
      const auto operands = NeededOperands(graph, id, mode);
      if (stack.back().next_operand < operands.size()) {
        enter(operands[stack.back().next_operand++]);
      } else {
        order.push_back(id);
        stack.pop_back();
      }
    }
  }
  return order;
}

}  // namespace

CompileGraph Bind(const Graph& graph, std::span<const NodeId> fetches, std::span<const Graph::Pair> updates, int64_t batch, Mode mode) {
  const std::vector<NodeId> wanted = Wanted(fetches, updates);
  for (NodeId id : wanted) {
    if (Index(id) >= graph.size()) throw GraphError(fmt::format("Bind: got node {}, expected one of the graph's {}", Index(id), graph.size()));
  }
  Rebuilder rebuilder(graph, "Bind", batch);
  for (NodeId id : NeededOrder(graph, wanted, mode)) {
    if (graph.op(id).traits.chooses_by_mode) rebuilder.Replace(id, rebuilder.Now(NeededOperands(graph, id, mode)[0]));
    else rebuilder.Copy(id);
  }
  return std::move(rebuilder).Finish(fetches, updates);
}

}  // namespace weft
