// Bind: what is wanted, in canonical order, with numbers for N and choices made.
#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "weft/graph/compile/passes.h"
#include "weft/graph/compile/rewriter.h"
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

// Puts the batch size for N, node by node: in attributes and types, which must be those of the type rules.
class BatchSize {
 public:
  BatchSize(Graph& graph, int64_t size) : graph_(graph), size_(size) {}

  void PutIntoType(NodeId id) {
    TensorType type = graph_.type(id);
    type.shape = Bound(type.shape, id);
    graph_.SetType(id, type);
  }

  void PutInto(const Node& node) {
    for (const auto& [key, value] : Attributes(node.attributes())) {
      const Shape* shape = std::get_if<Shape>(&value);
      if (shape == nullptr || shape->is_bound()) continue;
      Attributes bound = node.attributes();
      bound.Set(key, Bound(*shape, node.id()));
      graph_.SetAttributes(node.id(), std::move(bound));
    }
    std::vector<Node> operands;
    for (NodeId operand : node.operands()) operands.push_back(graph_.node(operand));
    const TensorType type = (*node.op().type)(TypeContext(node.op(), node.name(), operands, node.attributes()));
    PutIntoType(node.id());
    RequireType("Bind", node, type, node.type());
  }

 private:
  Shape Bound(const Shape& shape, NodeId id) const {
    if (shape.is_bound()) return shape;
    if (size_ >= 0) return shape.Bound(size_);
    throw GraphError(fmt::format("Bind of {} '{}': got {}, expected a batch size for N", *graph_.op(id).name,
                                 Escaped(graph_.name(id).str()), ToString(shape)));
  }

  Graph& graph_;
  const int64_t size_;
};

// Is there no N in it, and does it read what it was built to read? Then it is what its type rule would make of it. (An
// operand that was chosen by mode may be of another kind than the choice was.)
bool IsAsBefore(const Graph& graph, NodeId old, const Node& node) {
  const auto has_n = [](const auto& entry) {
    const Shape* shape = std::get_if<Shape>(&entry.second);
    return shape != nullptr && !shape->is_bound();
  };
  const auto same_type = [&](NodeId before, NodeId now) { return graph.type(before) == node.graph().type(now); };
  return node.shape().is_bound() && std::ranges::none_of(node.attributes(), has_n) &&
         std::ranges::equal(graph.operands(old), node.operands(), same_type);
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
  const std::vector<NodeId> order = NeededOrder(graph, wanted, choices), now = PlacesIn(order, graph.size());
  CompileGraph state{.graph = graph.Part(order)};
  for (NodeId fetch : fetches) state.fetches.push_back(now[Index(fetch)]);
  for (const auto& [variable, next] : updates) state.updates.emplace_back(now[Index(variable)], now[Index(next)]);

  Rewriter rewriter(std::move(state), "Bind");
  BatchSize batch_size(rewriter.graph(), batch);
  for (NodeId old : order) {
    const NodeId id = now[Index(old)];
    if (choices.IsFed(old)) {
      batch_size.PutIntoType(id);
      const TensorType& type = rewriter.graph().type(id);
      rewriter.Replace(id, rewriter.graph().Add(kFed, {}, {{"dtype", type.dtype}, {"shape", type.shape}}));
    } else if (graph.op(old).traits.chooses_by_mode) {
      batch_size.PutIntoType(id);
      rewriter.Replace(id, rewriter.Now(now[Index(choices.Operands(old)[0])]));
    } else {
      const Node node = rewriter.Visit(id);
      if (!IsAsBefore(graph, old, node)) batch_size.PutInto(node);
    }
  }
  return std::move(rewriter).Finish();
}

}  // namespace weft
