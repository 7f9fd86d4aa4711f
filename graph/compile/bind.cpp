// Bind: what is wanted, in canonical order, with numbers for N and choices made.
#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "weft/graph/compile/passes.h"
#include "weft/graph/compile/rebuilder.h"
#include "weft/graph/error.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

// A node that is fed: a source with the type of what it replaces.
constexpr OpDef kFed = {
    .name = "Fed",
    .arity = 0,
    .type = [](const TypeContext& context) -> TensorType {
      return {.dtype = context.attributes().Get<DType>("dtype"), .shape = context.attributes().Get<Shape>("shape")};
    },
    .formula = [](std::span<const Tensor>, const Attributes&,
                  const TensorType& result) { return Tensor(DType::kFloat64, result.shape); },
    .gradient = NotDifferentiable("it stands only in bound graphs"),
    .lower = Source{SourceKind::kPlaceholder},
    .samples = [] { return SampleSet{}; },
};

// What is needed once feeds and choices are made.
class Choices {
 public:
  Choices(const Graph& graph, Mode mode, std::span<const NodeId> fed)
      : graph_(graph), mode_(mode), is_fed_(graph.size()) {
    for (NodeId id : fed) is_fed_[Index(id)] = !graph.op(id).is_source(SourceKind::kPlaceholder);
  }
  bool IsFed(NodeId id) const { return is_fed_[Index(id)]; }
  std::span<const NodeId> Operands(NodeId id) const {
    const auto operands = graph_.operands(id);
    if (IsFed(id)) return {};
    return graph_.op(id).traits.chooses_by_mode ? operands.subspan(mode_ == Mode::kTraining ? 0 : 1, 1) : operands;
  }

 private:
  const Graph& graph_;
  const Mode mode_;
  std::vector<bool> is_fed_;
};

// The canonical order of graph/algorithms.h, had the choices been made before.
std::vector<NodeId> NeededOrder(const Graph& graph, std::span<const NodeId> targets, const Choices& choices) {
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
      const auto operands = choices.Operands(id);
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

CompileGraph Bind(const Graph& graph, std::span<const NodeId> fetches, std::span<const Graph::Pair> updates,
                  int64_t batch, Mode mode, std::span<const NodeId> fed) {
  const std::vector<NodeId> wanted = Wanted(fetches, updates);
  for (NodeId id : wanted) {
    if (Index(id) >= graph.size())
      throw GraphError(fmt::format("Bind: got node {}, expected one of the graph's {}", Index(id), graph.size()));
  }
  const Choices choices(graph, mode, fed);
  Rebuilder rebuilder(graph, "Bind", batch);
  for (NodeId id : NeededOrder(graph, wanted, choices)) {
    if (choices.IsFed(id))
      rebuilder.Replace(
          id, rebuilder.graph().Add(
                  kFed, {}, {{"dtype", graph.type(id).dtype}, {"shape", rebuilder.Bound(graph.type(id).shape, id)}}));
    else if (graph.op(id).traits.chooses_by_mode) rebuilder.Replace(id, rebuilder.Now(choices.Operands(id)[0]));
    else rebuilder.Copy(id);
  }
  return std::move(rebuilder).Finish(fetches, updates);
}

}  // namespace weft
