// Which nodes are drawn, which of them share a box, and what stands in the boxes and at the arrows.
#include "weft/graph/views/picture.h"

#include <algorithm>
#include <set>

#include <boost/graph/filtered_graph.hpp>
#include <boost/range/iterator_range.hpp>
#include <fmt/format.h>

#include "weft/graph/algorithms.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

// "MatMul" or "MatMul_12" for a MatMul: nobody named it.
bool HasPlainName(const Graph& graph, NodeId id) {
  std::string_view leaf = graph.name(id).leaf();
  if (!leaf.starts_with(*graph.op(id).name)) return false;
  leaf.remove_prefix(graph.op(id).name->size());
  return leaf.empty() ||
         (leaf.size() > 1 && leaf[0] == '_' && leaf.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

// The number that a node stands for, "0.5" or, of an ElementCount, "N×784"; "" for other nodes.
std::string NumberText(const Graph& graph, NodeId id) {
  std::string text;
  for (const auto& [key, value] : graph.attributes(id)) {
    const auto* tensor = std::get_if<std::shared_ptr<const Tensor>>(&value);
    if (tensor != nullptr && graph.op(id).is_source(SourceKind::kConstant) && (*tensor)->size() == 1) {
      text = fmt::format("{:.6g}", (*tensor)->Cast(DType::kFloat64).values<double>()[0]);
    }
    const auto* axes = std::get_if<std::vector<int64_t>>(&value);
    if (axes == nullptr || *graph.op(id).name != "ElementCount") continue;
    for (int64_t axis : *axes) {
      const Dim dim = graph.type(graph.operands(id)[0]).shape[static_cast<size_t>(axis)];
      text += text.empty() ? "" : "×";
      text += dim.is_batch() ? "N" : std::to_string(dim.length());
    }
  }
  return text;
}

size_t ComponentCount(const Path& path) {
  return path.is_root() ? 0 : 1 + static_cast<size_t>(std::ranges::count(path.str(), '/'));
}

Path FirstComponents(Path path, size_t count) {
  for (size_t i = ComponentCount(path); i > count; --i) path = path.parent();
  return path;
}

class Drawer {
 public:
  Drawer(const Graph& graph, const DotOptions& options) : graph_(graph), options_(options) {}

  Picture Draw() {
    Select();
    MarkSpecial();
    Contract();
    Fold();
    AddBoxes();
    AddArrows();
    return {.graph = &graph_, .box = std::move(box_), .boxes = std::move(boxes_), .arrows = std::move(arrows_)};
  }

 private:
  void ForEachNode(const auto& visit) const {
    for (uint32_t i = 0; i < graph_.size(); ++i) visit(NodeId{i});
  }
  bool IsDrawnAsItself(NodeId id) const { return value_[Index(id)] == id; }
  // How many components a scope on the way to `path` may have.
  size_t DepthOf(const Path& path) const {
    const bool is_second_half = path.IsWithin("Gradients") || path.IsWithin("Training");
    const int depth = is_second_half ? std::min(options_.depth, options_.gradient_depth) : options_.depth;
    return static_cast<size_t>(std::max(depth, 0)) + ComponentCount(options_.scope);
  }
  bool IsOutside(NodeId id) const { return !graph_.name(id).IsWithin(options_.scope); }

  void Select();
  void HideInitialValues();
  void MarkSpecial();
  void Contract();
  void Fold();
  void AddBoxes();
  void AddArrows();
  Box BoxOf(NodeId id, const std::set<Path>& scopes) const;
  BoxKind KindOf(NodeId id) const;
  std::string Formula(NodeId id) const;
  std::string AttributeLine(NodeId id) const;

  const Graph& graph_;
  const DotOptions& options_;
  std::vector<bool> selected_;
  std::vector<bool> special_;  // targets, and the ends of updates and initial values: always drawn
  std::vector<bool> next_value_;
  std::vector<NodeId> value_;  // by node: whose value it shows, itself or what it repeats; kNoNode: not drawn
  std::vector<NodeId> box_;
  std::map<NodeId, std::vector<NodeId>> folded_;  // box of a whole scope → the nodes in it
  std::map<NodeId, Box> boxes_;
  std::map<Edge, std::string> arrows_;
};

// ---- What is drawn -------------------------------------------------------------------------------------------------

void Drawer::Select() {
  selected_ = options_.targets.empty() ? std::vector<bool>(graph_.size(), true) : Ancestors(graph_, options_.targets);
  if (!options_.initial_values && options_.targets.empty()) HideInitialValues();
  if (!options_.gradients) {
    std::vector<NodeId> training;
    ForEachNode([&](NodeId id) {
      if (graph_.name(id).IsWithin("Gradients") || graph_.name(id).IsWithin("Training")) training.push_back(id);
    });
    const std::vector<bool> hidden = Descendants(graph_, training);
    ForEachNode([&](NodeId id) { selected_[Index(id)] = selected_[Index(id)] && !hidden[Index(id)]; });
  }
  // Of the outside only what is read from within.
  const auto read_within = [this](const Edge& use) { return selected_[Index(use.target)] && !IsOutside(use.target); };
  ForEachNode([&](NodeId id) {
    if (IsOutside(id) && std::ranges::none_of(graph_.uses(id), read_within)) selected_[Index(id)] = false;
  });
}

// Users come after their operands: from the back, it is known of all users whether they do nothing but initialise.
void Drawer::HideInitialValues() {
  std::vector<bool> initial(graph_.size()), next(graph_.size());
  for (const auto& [variable, value] : graph_.initial_values()) initial[Index(value)] = true;
  for (const auto& [variable, value] : graph_.updates()) next[Index(value)] = true;
  for (size_t i = graph_.size(); i-- > 0;) {
    const NodeId id{static_cast<uint32_t>(i)};
    const auto initialises = [&](const Edge& use) { return !selected_[Index(use.target)]; };
    const bool is_read = !std::ranges::all_of(graph_.uses(id), initialises);
    const bool serves = initial[i] || !graph_.uses(id).empty();
    if (serves && !is_read && !next[i] && !graph_.op(id).is_source(SourceKind::kVariable)) selected_[i] = false;
  }
}

void Drawer::MarkSpecial() {
  special_.resize(graph_.size());
  next_value_.resize(graph_.size());
  for (NodeId target : options_.targets) special_[Index(target)] = true;
  for (const auto& [variable, value] : graph_.updates()) special_[Index(value)] = next_value_[Index(value)] = true;
  if (!options_.initial_values) return;
  for (const auto& [variable, value] : graph_.initial_values()) special_[Index(value)] = true;
}

void Drawer::Contract() {
  value_.assign(graph_.size(), kNoNode);
  ForEachNode([this](NodeId id) {
    if (!selected_[Index(id)]) return;
    value_[Index(id)] = id;
    if (special_[Index(id)] || IsOutside(id) || graph_.uses(id).empty() || !HasPlainName(graph_, id)) return;
    if (graph_.op(id).is_source(SourceKind::kRandomState) || !NumberText(graph_, id).empty())
      value_[Index(id)] = kNoNode;
    if (graph_.op(id).traits.broadcasts) value_[Index(id)] = value_[Index(graph_.operands(id)[0])];
  });
}

void Drawer::Fold() {
  box_ = value_;
  std::map<Path, std::vector<NodeId>> members;
  ForEachNode([&](NodeId id) {
    const Path& name = graph_.name(id);
    const Path scope = name.parent();
    if (!IsDrawnAsItself(id) || IsOutside(id)) return;
    if (ComponentCount(scope) > DepthOf(name)) members[FirstComponents(scope, DepthOf(name) + 1)].push_back(id);
  });
  // A node may have the name of a scope: Encoder/Mean above Encoder/Mean/W.
  for (auto& [scope, nodes] : members) {
    const NodeId result = graph_.FindId(scope);
    if (result != kNoNode && Index(result) < graph_.size() && IsDrawnAsItself(result) && !IsOutside(result))
      nodes.push_back(result);
    if (nodes.size() == 1) continue;
    for (NodeId id : nodes) box_[Index(id)] = nodes[0];
    folded_.emplace(nodes[0], std::move(nodes));
  }
  ForEachNode([this](NodeId id) {
    if (value_[Index(id)] != kNoNode) box_[Index(id)] = box_[Index(value_[Index(id)])];
  });
}

// ---- What stands in it ---------------------------------------------------------------------------------------------

BoxKind Drawer::KindOf(NodeId id) const {
  const OpDef& op = graph_.op(id);
  if (IsOutside(id)) return BoxKind::kOutside;
  if (op.is_source(SourceKind::kPlaceholder)) return BoxKind::kPlaceholder;
  if (op.is_source(SourceKind::kVariable)) return BoxKind::kVariable;
  if (op.is_source(SourceKind::kConstant)) return BoxKind::kConstant;
  if (op.traits.is_random || op.is_source(SourceKind::kRandomState)) return BoxKind::kRandom;
  if (next_value_[Index(id)]) return BoxKind::kUpdate;
  return graph_.name(id).IsWithin("Gradients") ? BoxKind::kGradient : BoxKind::kOp;
}

// "Multiply(0.5, ·)" where an operand is a number that is not drawn.
std::string Drawer::Formula(NodeId id) const {
  std::string operands;
  bool has_number = false;
  for (NodeId operand : graph_.operands(id)) {
    while (graph_.op(operand).traits.broadcasts && value_[Index(operand)] == kNoNode)
      operand = graph_.operands(operand)[0];
    const std::string number =
        selected_[Index(operand)] && value_[Index(operand)] == kNoNode ? NumberText(graph_, operand) : "";
    has_number = has_number || !number.empty();
    operands += operands.empty() ? "" : ", ";
    operands += number.empty() ? "·" : number;
  }
  return has_number ? fmt::format("{}({})", *graph_.op(id).name, operands) : std::string(*graph_.op(id).name);
}

// Numbers and what is true; what the type and the name say already is left out.
std::string Drawer::AttributeLine(NodeId id) const {
  std::string line;
  if (graph_.op(id).is_source() || graph_.op(id).traits.is_random) return line;
  for (const auto& [key, value] : graph_.attributes(id)) {
    const bool* flag = std::get_if<bool>(&value);
    const bool says_nothing = (flag != nullptr && !*flag) || std::holds_alternative<Shape>(value) ||
                              std::holds_alternative<DType>(value) ||
                              std::holds_alternative<std::shared_ptr<const Tensor>>(value);
    if (says_nothing) continue;
    line += line.empty() ? "" : " ";
    line += flag != nullptr ? key : fmt::format("{}={}", key, ToString(value));
  }
  return line;
}

Box Drawer::BoxOf(NodeId id, const std::set<Path>& scopes) const {
  const Path& name = graph_.name(id);
  Box box{.kind = KindOf(id), .scope = FirstComponents(scopes.contains(name) ? name : name.parent(), DepthOf(name))};
  if (const auto folded = folded_.find(id); folded != folded_.end()) {
    const Path scope = FirstComponents(name, DepthOf(name) + 1);
    const auto variables = std::ranges::count_if(
        folded->second, [this](NodeId node) { return graph_.op(node).is_source(SourceKind::kVariable); });
    box.kind = BoxKind::kScope;
    box.scope = scope.parent();
    box.lines = {std::string(scope.leaf()), fmt::format("{} nodes", folded->second.size())};
    if (variables > 0) box.lines[1] += fmt::format(", {} variable{}", variables, variables > 1 ? "s" : "");
    return box;
  }
  if (box.kind == BoxKind::kOutside) return {.kind = box.kind, .scope = {}, .lines = {name.str()}};
  const bool is_plain = HasPlainName(graph_, id);
  if (!is_plain) box.lines.emplace_back(name.leaf());
  if (box.kind == BoxKind::kConstant) {
    box.lines.push_back(NumberText(graph_, id).empty()
                            ? fmt::format("{} {}", *graph_.op(id).name, ToString(graph_.type(id)))
                            : NumberText(graph_, id));
  } else if (box.kind != BoxKind::kPlaceholder && box.kind != BoxKind::kVariable) {
    box.lines.push_back(Formula(id));
  } else if (options_.types) {
    box.lines.push_back(ToString(graph_.type(id)));
  }
  if (const std::string line = AttributeLine(id); !line.empty()) box.lines.push_back(line);
  return box;
}

void Drawer::AddBoxes() {
  std::set<Path> scopes;
  ForEachNode([&](NodeId id) {
    if (!IsDrawnAsItself(id) || IsOutside(id)) return;
    for (Path scope = graph_.name(id).parent(); !scope.is_root() && scopes.insert(scope).second;)
      scope = scope.parent();
  });
  ForEachNode([&](NodeId id) {
    if (box_[Index(id)] == id) boxes_.emplace(id, BoxOf(id, scopes));
  });
}

void Drawer::AddArrows() {
  struct IsSelected {
    const std::vector<bool>* selected = nullptr;
    bool operator()(NodeId id) const { return (*selected)[Index(id)]; }
  };
  const boost::filtered_graph<Graph, boost::keep_all, IsSelected> drawn(graph_, boost::keep_all(),
                                                                        IsSelected{&selected_});
  struct Arrow {
    Edge edge;
    std::set<NodeId> values;
  };
  std::map<Edge, Arrow> arrows;  // by the edge between the boxes
  for (Edge edge : boost::make_iterator_range(edges(drawn))) {
    const NodeId from = box_[Index(edge.source)], to = box_[Index(edge.target)];
    if (from == kNoNode || to == kNoNode || from == to || (IsOutside(from) && IsOutside(to))) continue;
    const bool is_one_of_many = folded_.contains(from) || folded_.contains(to);
    arrows.try_emplace({from, to, is_one_of_many ? 0 : edge.operand}, Arrow{edge, {}})
        .first->second.values.insert(value_[Index(edge.source)]);
  }
  for (const auto& [between, arrow] : arrows) {
    const BoxKind from = boxes_.at(between.source).kind;
    std::string label;
    if (arrow.values.size() > 1) label = fmt::format("{} values", arrow.values.size());
    else if (from != BoxKind::kPlaceholder && from != BoxKind::kVariable)
      label = ToString(graph_.type(*arrow.values.begin()));
    arrows_.emplace(arrow.edge, options_.types ? label : "");
  }
}

}  // namespace

Picture DrawnPart(const Graph& graph, const DotOptions& options) { return Drawer(graph, options).Draw(); }

}  // namespace weft
