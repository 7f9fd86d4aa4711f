// From the products on, forwards.
#include "weft/graph/compile/layout.h"

#include <algorithm>

#include "weft/graph/op.h"

namespace weft {
namespace {

class Assigner {
 public:
  Assigner(const Graph& graph, std::span<const Graph::Pair> updates, PartitionResult& partition)
      : graph_(graph), partition_(partition), is_read_(graph.size(), 0), variable_of_(graph.size(), kNoNode) {
    for (const auto& [variable, next] : updates) variable_of_[Index(next)] = variable;
    for (const Unit& unit : partition_.units) {
      for (const UnitInput& input : unit.inputs) is_read_[Index(input.base)] = 1;
    }
  }

  void Run() {
    for (const Unit& unit : partition_.units) {
      if (TakesPanels(unit)) StoreVariables(unit);
    }
    for (Unit& unit : partition_.units) {
      if (TakesPanels(unit)) {
        if (FitsPanels(graph_.type(unit.node)) && is_read_[Index(unit.node)]) Set(unit.node);
      } else if (WorksOnPanels(unit)) {
        unit.layout = Layout::kPanels;
        StoreVariables(unit);
        for (NodeId id : unit.elementwise) {
          if (unit.node == kNoNode && (is_read_[Index(id)] || IsNextOfPanels(id))) Set(id);
        }
      }
    }
  }

 private:
  void Set(NodeId id) { partition_.layouts[Index(id)] = Layout::kPanels; }
  bool InPanels(NodeId id) const { return partition_.layouts[Index(id)] == Layout::kPanels; }

  bool TakesPanels(const Unit& unit) const { return unit.node != kNoNode && graph_.op(unit.node).traits.takes_panels; }

  // Variables may lie in panels between runs, too.
  void StoreVariables(const Unit& unit) {
    for (const UnitInput& input : unit.inputs) {
      const TensorType& type = graph_.type(input.base);
      const bool whole = unit.node != kNoNode ? TakesPanels(unit) : input.shape == unit.shape;
      if (graph_.op(input.base).is_source(SourceKind::kVariable) && FitsPanels(type) && type.shape == input.shape &&
          whole)
        Set(input.base);
    }
  }

  bool IsNextOfPanels(NodeId id) const {
    return variable_of_[Index(id)] != kNoNode && InPanels(variable_of_[Index(id)]);
  }

  // Elementwise, or a fold of its rows or columns, over a matrix of which something lies in panels.
  bool WorksOnPanels(const Unit& unit) const {
    if (unit.shape.rank() != 2 || (unit.splits & 2U) == 0) return false;
    if (unit.node != kNoNode && !std::holds_alternative<Reduction>(*graph_.op(unit.node).lower)) return false;
    return std::any_of(unit.inputs.begin(), unit.inputs.end(), [&](const UnitInput& input) {
      return InPanels(input.base) && input.shape == unit.shape && graph_.type(input.base).shape == unit.shape;
    });
  }

  const Graph& graph_;
  PartitionResult& partition_;
  std::vector<char> is_read_;
  std::vector<NodeId> variable_of_;  // whose next value it is
};

}  // namespace

bool FitsPanels(const TensorType& type) {
  return IsFloating(type.dtype) && type.shape.rank() == 2 && type.shape[0].length() > 1 &&
         type.shape[1].length() >= PanelWidth(type.dtype);
}

void AssignLayouts(const Graph& graph, std::span<const Graph::Pair> updates, PartitionResult& partition) {
  Assigner(graph, updates, partition).Run();
}

}  // namespace weft
