// How nodes become units.
#include "weft/graph/compile/partition.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "weft/graph/compile/iteration_space.h"

namespace weft {
namespace {

class Partitioner {
 public:
  Partitioner(const Graph& graph, const std::vector<NodeId>& wanted, bool fuse)
      : graph_(graph),
        fuse_(fuse),
        wanted_(graph.size(), 0),
        needed_(graph.size(), 0),
        unit_of_(graph.size(), kNone),
        prologues_(graph.size()),
        listed_by_(graph.size(), 0) {
    is_stored_.reserve(graph.size());
    result_.base.resize(graph.size());
    result_.needs_buffer.assign(graph.size(), 0);
    for (uint32_t i = 0; i < graph.size(); ++i) {
      const NodeId id{i};
      result_.base[i] = graph.op(id).is_view() ? result_.base[Index(graph.operands(id)[0])] : id;
      is_stored_.push_back(!graph.op(id).traits.broadcasts);
    }
    for (NodeId id : wanted) wanted_[Index(result_.base[Index(id)])] = 1;
    for (NodeId id : wanted) wanted_[Index(id)] = 1;
  }

  PartitionResult Run() {
    FindStoredBroadcasts();
    FindNeeded();
    FormUnits();
    if (fuse_) {
      MergeIntoOnlyReader();
      SinkIntoOnlyReader();
    }
    Finish();
    return std::move(result_);
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  bool IsElementwise(NodeId id) const { return graph_.op(id).is_elementwise(); }
  bool IsReduction(NodeId id) const { return std::holds_alternative<Reduction>(*graph_.op(id).lower); }
  bool IsStored(NodeId id) const { return is_stored_[Index(id)] != 0; }

  // A broadcast needs a buffer if somebody reads it who cannot read its operand instead.
  void FindStoredBroadcasts() {
    std::vector<char> forced(graph_.size(), 0);  // operands of a node whose broadcasts do not agree on a cut
    for (uint32_t i = 0; i < graph_.size(); ++i) {
      const NodeId id{i};
      const bool disagree =
          (IsElementwise(id) && SplitsOf(id) == 0) ||
          (IsReduction(id) && (SplitsOfOperand(graph_.operands(id)[0], graph_.type(graph_.operands(id)[0]).shape) &
                               ReductionSplits(id)) == 0);
      for (NodeId operand : graph_.operands(id)) forced[Index(operand)] |= static_cast<char>(disagree);
    }
    for (uint32_t i = static_cast<uint32_t>(graph_.size()); i-- > 0;) {
      const NodeId id{i};
      if (!graph_.op(id).traits.broadcasts) continue;
      const auto reads_operand = [this](const Edge& use) {
        return IsElementwise(use.target) || IsReduction(use.target) || !IsStored(use.target);
      };
      const auto uses = graph_.uses(id);
      is_stored_[i] = !fuse_ || wanted_[i] || forced[i] || !std::all_of(uses.begin(), uses.end(), reads_operand);
    }
  }

  // What is read for operand `id`: its buffer, or through broadcasts without one the buffer behind them.
  UnitInput Read(NodeId id) const {
    NodeId at = id;
    while (!IsStored(at)) at = graph_.operands(at)[0];
    return {result_.base[Index(at)], graph_.type(at).shape};
  }

  // From the last node to the first: who is needed, and what of it disappears into the prologue of a reduction.
  void FindNeeded() {
    for (uint32_t i = static_cast<uint32_t>(graph_.size()); i-- > 0;) {
      const NodeId id{i};
      if (wanted_[i]) needed_[i] = 1;
      if (!needed_[i] || graph_.op(id).is_source()) continue;
      if (IsReduction(id) && fuse_) prologues_[i] = Prologue(id);
      const auto& inside = prologues_[i];
      const auto need_operands = [&](NodeId reader) {
        for (NodeId operand : graph_.operands(reader)) {
          if (std::find(inside.begin(), inside.end(), operand) == inside.end()) Need(operand);
        }
      };
      need_operands(id);
      for (NodeId repeated : inside) need_operands(repeated);
    }
  }

  // Of a broadcast without a buffer, what is behind it; the operand of a view is needed when its turn comes.
  void Need(NodeId id) {
    while (!IsStored(id)) {
      needed_[Index(id)] = 0;
      id = graph_.operands(id)[0];
    }
    needed_[Index(id)] = 1;
  }

  // The elementwise nodes above a reduction that nobody else reads: they are computed within it and need no buffer.
  // (To compute again what others read, too, was tried: reading it from the L2 is cheaper than two instructions.)
  std::vector<NodeId> Prologue(NodeId reduction) const {
    std::vector<NodeId> inside, open = {graph_.operands(reduction)[0]};
    const Shape& shape = graph_.type(open[0]).shape;
    uint32_t splits = ReductionSplits(reduction);
    while (!open.empty()) {
      const auto latest =
          std::max_element(open.begin(), open.end(), [](NodeId a, NodeId b) { return Index(a) < Index(b); });
      const NodeId id = *latest;
      open.erase(latest);
      const auto is_inside = [&](NodeId node) {
        return node == reduction || std::find(inside.begin(), inside.end(), node) != inside.end();
      };
      if (is_inside(id) || !IsElementwise(id) || wanted_[Index(id)] || graph_.type(id).shape != shape) continue;
      const auto uses = graph_.uses(id);
      const bool exclusive =
          std::all_of(uses.begin(), uses.end(), [&](const Edge& use) { return is_inside(use.target); });
      if (!exclusive || (SplitsOf(id) & splits) == 0 || inside.size() == kMaxInstructions) continue;
      splits &= SplitsOf(id);
      inside.push_back(id);
      const auto operands = graph_.operands(id);
      open.insert(open.end(), operands.begin(), operands.end());
    }
    std::sort(inside.begin(), inside.end());
    return inside;
  }

  // A fold over the last axes needs the cut before them, any other one behind them.
  uint32_t ReductionSplits(NodeId id) const {
    const auto axis = static_cast<size_t>(graph_.attributes(id).Get<int64_t>("axis"));
    const auto count = static_cast<size_t>(graph_.attributes(id).Get<int64_t>("count"));
    const Shape& shape = graph_.type(graph_.operands(id)[0]).shape;
    const std::span<const Dim> behind(shape.begin() + axis + count, shape.rank() - axis - count);
    return 1u << (ElementCount(behind) == 1 ? axis : axis + count);
  }

  // Cuts at which all broadcast operands of an elementwise node can be read.
  uint32_t SplitsOf(NodeId id) const {
    const Shape& shape = graph_.type(id).shape;
    uint32_t splits = AllSplits(shape);
    for (NodeId operand : graph_.operands(id)) splits &= SplitsOfOperand(operand, shape);
    return splits;
  }

  uint32_t SplitsOfOperand(NodeId operand, const Shape& shape) const {
    const UnitInput input = Read(operand);
    return input.shape == shape ? AllSplits(shape) : PossibleSplits(input.shape, shape);
  }

  int StageOf(NodeId base) const {
    return unit_of_[Index(base)] == kNone ? 0 : result_.units[unit_of_[Index(base)]].stage;
  }

  // From the first node to the last: units with stages. A value that leaves a unit can be read one stage later, so
  // units of one stage never need each other, and joining nodes of one stage can make no cycle.
  void FormUnits() {
    for (uint32_t i = 0; i < graph_.size(); ++i) {
      const NodeId id{i};
      const OpDef& op = graph_.op(id);
      if (!needed_[i] || op.is_source() || op.is_view()) continue;
      if (IsElementwise(id)) Join(id);
      else
        Append({.elementwise = prologues_[i],
                .node = id,
                .shape = graph_.type(graph_.operands(id).empty() ? id : graph_.operands(id)[0]).shape,
                .splits = IsReduction(id) ? ReductionSplits(id) : 0},
               id);
    }
  }

  void Append(Unit unit, NodeId id) {
    unit_of_[Index(id)] = static_cast<uint32_t>(result_.units.size());
    unit.inputs = InputsOf(unit);
    for (const UnitInput& input : unit.inputs) unit.stage = std::max(unit.stage, StageOf(input.base) + 1);
    result_.units.push_back(std::move(unit));
    has_changed_.push_back(0);
  }

  // Everything that the unit reads from outside.
  std::vector<UnitInput> InputsOf(const Unit& unit) const {
    std::vector<UnitInput> inputs;
    const uint32_t listing = ++listings_;
    const auto add = [&](NodeId reader) {
      for (NodeId operand : graph_.operands(reader)) {
        if (std::binary_search(unit.elementwise.begin(), unit.elementwise.end(), operand)) continue;
        const bool in_registers = IsElementwise(reader) || IsReduction(reader);
        const UnitInput input =
            in_registers ? Read(operand) : UnitInput{result_.base[Index(operand)], graph_.type(operand).shape};
        const auto same = [&](const UnitInput& other) {
          return other.base == input.base && other.shape == input.shape;
        };
        // A base that was not met before need not be looked for: a concatenation may have any number of operands.
        const bool met = std::exchange(listed_by_[Index(input.base)], listing) == listing;
        if (!met || std::none_of(inputs.begin(), inputs.end(), same)) inputs.push_back(input);
      }
    };
    for (NodeId id : unit.elementwise) add(id);
    if (unit.node != kNoNode) add(unit.node);
    return inputs;
  }

  // Puts an elementwise node into the groups of its operands, where stage, shape, cut and size allow it.
  void Join(NodeId id) {
    const Shape& shape = graph_.type(id).shape;
    const uint32_t own_splits = SplitsOf(id);
    candidates_.clear();
    int stage = 0;
    for (NodeId operand : graph_.operands(id)) {
      const uint32_t group = unit_of_[Index(result_.base[Index(Read(operand).base)])];
      const bool joinable = fuse_ && group != kNone && IsElementwise(operand) && graph_.type(operand).shape == shape &&
                            result_.units[group].node == kNoNode;
      if (joinable && std::find(candidates_.begin(), candidates_.end(), group) == candidates_.end())
        candidates_.push_back(group);
      if (!joinable) stage = std::max(stage, StageOf(Read(operand).base) + 1);
    }
    std::sort(candidates_.begin(), candidates_.end(), [&](uint32_t a, uint32_t b) {
      return result_.units[a].stage > result_.units[b].stage ||
             (result_.units[a].stage == result_.units[b].stage && a < b);
    });
    // The latest groups decide the stage; a group that cannot be joined pushes the node one stage behind it.
    joined_.clear();
    uint32_t splits = own_splits;
    size_t size = 1;
    for (uint32_t group : candidates_) {
      const Unit& other = result_.units[group];
      const bool fits = other.stage >= stage && (joined_.empty() || other.stage == result_.units[joined_[0]].stage) &&
                        (splits & other.splits) != 0 && size + other.elementwise.size() <= kMaxInstructions;
      if (fits) {
        joined_.push_back(group);
        splits &= other.splits;
        size += other.elementwise.size();
      } else if (joined_.empty() || other.stage >= result_.units[joined_[0]].stage) {
        stage = std::max(stage, other.stage + 1);
        joined_.clear();
        splits = own_splits;
        size = 1;
      }
    }
    if (joined_.empty()) {
      Append({.elementwise = {id}, .shape = shape, .splits = own_splits, .stage = std::max(stage, 1)}, id);
      return;
    }
    const uint32_t target = joined_[0];
    for (size_t k = 1; k < joined_.size(); ++k) Absorb(target, joined_[k]);
    Unit& group = result_.units[target];
    group.elementwise.push_back(id);
    group.splits = splits;
    unit_of_[Index(id)] = target;
    has_changed_[target] = 1;
  }

  // Moves the nodes of `from` into `into`; `from` is left empty.
  void Absorb(uint32_t into, uint32_t from) {
    Unit& target = result_.units[into];
    Unit& source = result_.units[from];
    for (NodeId id : source.elementwise) {
      unit_of_[Index(id)] = into;
      target.elementwise.push_back(id);
    }
    std::sort(target.elementwise.begin(), target.elementwise.end());
    target.splits &= source.splits;
    source.elementwise.clear();
    has_changed_[into] = has_changed_[from] = 1;
  }

  void ListInputs(uint32_t unit) {
    result_.units[unit].inputs = InputsOf(result_.units[unit]);
    has_changed_[unit] = 0;
  }
  void ListChangedInputs() {
    for (uint32_t u = 0; u < result_.units.size(); ++u) {
      if (has_changed_[u]) ListInputs(u);
    }
  }

  static bool IsGroup(const Unit& unit) { return unit.node == kNoNode && !unit.elementwise.empty(); }

  // readers[i]: units that read the buffer of node i.
  std::vector<std::vector<uint32_t>> Readers() {
    ListChangedInputs();
    std::vector<std::vector<uint32_t>> readers(graph_.size());
    for (uint32_t u = 0; u < result_.units.size(); ++u) {
      for (const UnitInput& input : result_.units[u].inputs) {
        auto& list = readers[Index(input.base)];
        if (list.empty() || list.back() != u) list.push_back(u);
      }
    }
    return readers;
  }

  // A group whose values only one other group reads becomes part of it: no cycle can come of it.
  void MergeIntoOnlyReader() {
    auto readers = Readers();
    std::vector<uint32_t> into(result_.units.size());
    std::iota(into.begin(), into.end(), 0u);
    const auto find = [&into](uint32_t u) {
      while (into[u] != u) u = into[u];
      return u;
    };
    for (uint32_t u = static_cast<uint32_t>(result_.units.size()); u-- > 0;) {
      Unit& unit = result_.units[u];
      if (!IsGroup(unit)) continue;
      uint32_t only = kNone;
      bool mergeable = true;
      for (NodeId id : unit.elementwise) {
        mergeable = mergeable && !wanted_[Index(id)];
        for (uint32_t reader : readers[Index(id)]) {
          reader = find(reader);
          mergeable = mergeable && (only == kNone || only == reader) && reader != u;
          only = reader;
        }
      }
      if (!mergeable || only == kNone) continue;
      Unit& target = result_.units[only];
      // A view or a broadcast between the two would be read from a buffer.
      const auto full = [&](const UnitInput& input) {
        return unit_of_[Index(input.base)] != u || (input.shape == unit.shape && ReadDirectly(target, input.base));
      };
      if (!IsGroup(target) || target.shape != unit.shape || (target.splits & unit.splits) == 0 ||
          target.elementwise.size() + unit.elementwise.size() > kMaxInstructions ||
          !std::all_of(target.inputs.begin(), target.inputs.end(), full)) {
        continue;
      }
      Absorb(only, u);
      into[u] = only;
      ListInputs(only);
    }
  }

  // No node of the unit reads `base` through a view.
  bool ReadDirectly(const Unit& unit, NodeId base) const {
    for (NodeId id : unit.elementwise) {
      for (NodeId operand : graph_.operands(id)) {
        if (operand != base && Read(operand).base == base) return false;
      }
    }
    return true;
  }

  // A node that only one later group reads is computed there, if what it reads is in a buffer anyway: the gradient of
  // an activation then reads the activation, not a mask that was stored beside it.
  void SinkIntoOnlyReader() {
    auto readers = Readers();
    for (uint32_t i = static_cast<uint32_t>(graph_.size()); i-- > 0;) {
      const NodeId id{i};
      const uint32_t from = unit_of_[i];
      if (wanted_[i] || !IsElementwise(id) || from == kNone || !IsGroup(result_.units[from])) continue;
      const auto uses = graph_.uses(id);
      const bool used_inside =
          std::any_of(uses.begin(), uses.end(), [&](const Edge& use) { return unit_of_[Index(use.target)] == from; });
      if (used_inside || readers[i].size() != 1) continue;
      const uint32_t only = readers[i][0];
      Unit& target = result_.units[only];
      if (!IsGroup(target) || target.shape != graph_.type(id).shape || (target.splits & SplitsOf(id)) == 0 ||
          target.elementwise.size() == kMaxInstructions || !ReadDirectly(target, id) || !ReadsStored(id, from, readers))
        continue;
      std::erase(result_.units[from].elementwise, id);
      target.elementwise.insert(std::upper_bound(target.elementwise.begin(), target.elementwise.end(), id), id);
      target.splits &= SplitsOf(id);
      unit_of_[i] = only;
      has_changed_[from] = has_changed_[only] = 1;
      for (NodeId operand : graph_.operands(id)) {
        auto& list = readers[Index(Read(operand).base)];
        if (std::find(list.begin(), list.end(), only) == list.end()) list.push_back(only);
      }
    }
  }

  // At most one operand is no scalar, and that one is in a buffer whoever reads it.
  bool ReadsStored(NodeId id, uint32_t unit, const std::vector<std::vector<uint32_t>>& readers) const {
    size_t whole = 0;
    for (NodeId operand : graph_.operands(id)) {
      const UnitInput input = Read(operand);
      if (ElementCount(input.shape) == 1) continue;
      const auto& list = readers[Index(input.base)];
      const bool stored = unit_of_[Index(input.base)] != unit || wanted_[Index(input.base)] ||
                          std::any_of(list.begin(), list.end(), [unit](uint32_t reader) { return reader != unit; });
      if (++whole > 1 || !stored) return false;
    }
    return true;
  }

  void Finish() {
    ListChangedInputs();
    auto& units = result_.units;
    std::erase_if(units, [](const Unit& unit) { return unit.elementwise.empty() && unit.node == kNoNode; });
    const auto last = [](const Unit& unit) {
      return Index(unit.node != kNoNode ? unit.node : unit.elementwise.back());
    };
    std::sort(units.begin(), units.end(), [&](const Unit& a, const Unit& b) {
      if (a.stage != b.stage) return a.stage < b.stage;
      return last(a) < last(b);
    });
    for (const Unit& unit : units) {
      for (const UnitInput& input : unit.inputs) result_.needs_buffer[Index(input.base)] = 1;
    }
    for (uint32_t i = 0; i < graph_.size(); ++i) {
      if (wanted_[i]) result_.needs_buffer[Index(result_.base[i])] = 1;
    }
  }

  const Graph& graph_;
  const bool fuse_;
  std::vector<char> wanted_, needed_;
  std::vector<char> is_stored_;                // not of a broadcast, unless somebody cannot read its operand instead
  std::vector<uint32_t> unit_of_;              // of elementwise nodes and of nodes with a unit of their own
  std::vector<char> has_changed_;              // of a unit: since its inputs were listed
  std::vector<uint32_t> candidates_, joined_;  // of Join: groups of operands, and those that take the node
  std::vector<std::vector<NodeId>> prologues_;
  mutable std::vector<uint32_t> listed_by_;  // of a base: the number of the last list of inputs that has it
  mutable uint32_t listings_ = 0;
  PartitionResult result_;
};

}  // namespace

LoweringContext Lower(const Graph& graph, NodeId node, std::vector<TensorType>& operand_types,
                      std::span<const Layout> layouts, Layout result_layout) {
  operand_types.clear();
  for (NodeId operand : graph.operands(node)) operand_types.push_back(graph.type(operand));
  LoweringContext context{.operands = operand_types,
                          .result = graph.type(node),
                          .attributes = graph.attributes(node),
                          .layouts = layouts,
                          .result_layout = result_layout};
  std::get<InSteps>(*graph.op(node).lower).rule(context);
  return context;
}

PartitionResult Partition(const Graph& graph, const std::vector<NodeId>& wanted, bool fuse) {
  PartitionResult result = Partitioner(graph, wanted, fuse).Run();
  result.layouts.assign(graph.size(), Layout::kRowMajor);
  return result;
}

}  // namespace weft
