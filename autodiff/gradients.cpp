// Reverse mode: the nodes between variables and target, a seed, a walk backwards, sums, rules.
#include "weft/autodiff/gradients.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "weft/graph/algorithms.h"
#include "weft/graph/error.h"
#include "weft/graph/op.h"
#include "weft/graph/scope.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

bool SameType(const Node& a, const Node& b) { return a.dtype() == b.dtype() && a.shape() == b.shape(); }

class BackwardWalk {
 public:
  BackwardWalk(Graph& graph, const std::vector<NodeId>& path)
      : graph_(graph),
        first_new_(graph.size()),
        on_path_(first_new_),
        arrived_(first_new_),
        gradients_(first_new_, kNoNode) {
    for (NodeId id : path) on_path_[Index(id)] = true;
  }

  bool Reaches(Node node) const { return on_path_[Index(node.id())]; }

  void Seed(Node target) {
    Begin(target);
    arrived_[Index(target.id())].push_back(Constant(graph_, 1.0, target.dtype()));
  }

  // To be called for the path in reverse: a gradient is complete once all consumers of its node were visited.
  void Visit(Node node) {
    Begin(node);
    const std::vector<Node>& arrived = arrived_[Index(node.id())];
    if (arrived.empty()) return;
    Node sum = arrived.back();
    for (size_t i = arrived.size() - 1; i > 0; --i) sum = Add(sum, arrived[i - 1]);
    gradients_[Index(node.id())] = sum.id();
    AskRule(node, sum);
  }

  // Zeros where nothing arrived.
  Node GradientOf(Node variable) {
    NodeId& gradient = gradients_[Index(variable.id())];
    if (gradient == kNoNode) {
      Begin(variable);
      const Shape shape = variable.shape();
      gradient = BroadcastTo(Constant(graph_, 0.0, variable.dtype()), shape).id();
    }
    return graph_.node(gradient);
  }

  void StateNames();

 private:
  // What was made on behalf of a forward node: the nodes from `first_made` to the next record's.
  struct Record {
    NodeId forward;
    size_t first_made;
  };

  void Begin(Node forward) { records_.push_back({forward.id(), graph_.size()}); }
  void AskRule(Node node, Node gradient);

  Graph& graph_;
  size_t first_new_;                        // what lies before was there before
  std::vector<bool> on_path_;               // all by the id of a forward node
  std::vector<std::vector<Node>> arrived_;  // contributions, the last consumer's first
  std::vector<NodeId> gradients_;
  std::vector<Record> records_;
};

void BackwardWalk::AskRule(Node node, Node gradient) {
  const size_t count = node.operands().size();
  std::vector<bool> needs(count);
  for (size_t i = 0; i < count; ++i) needs[i] = Reaches(node.operand(i));
  if (std::find(needs.begin(), needs.end(), true) == needs.end()) return;
  const GradientRule& rule = node.op().gradient;
  const auto fail = [&node](std::string_view reason) {
    throw GraphError(fmt::format("{} '{}': {}", *node.op().name, Escaped(node.name().str()), reason));
  };
  if (!rule.differentiable()) fail(fmt::format("has no gradient: {}", rule.reason()));

  const Contributions contributions = rule(GradientContext(node, gradient, needs));
  if (contributions.size() != count)
    fail(fmt::format("its gradient rule gave {} contributions, expected {}", contributions.size(), count));
  for (size_t i = count; i-- > 0;) {
    if (!needs[i] || !contributions[i]) continue;
    const Node operand = node.operand(i);
    if (!SameType(*contributions[i], operand)) {
      fail(fmt::format("its gradient rule gave {} for operand {}, expected {}", ToString(contributions[i]->type()), i,
                       ToString(operand.type())));
    }
    arrived_[Index(operand.id())].push_back(*contributions[i]);
  }
}

// Gradients/F is the gradient of F and nothing else: gradients are named first, then what rules made besides.
void BackwardWalk::StateNames() {
  const Path root("Gradients");
  // In the current scope, and not the name of a forward node's gradient.
  const auto unique = [&](const Path& forward_scope, std::string_view base) {
    Path name = graph_.UniqueName(base);
    while (graph_.FindId(forward_scope / Path(name.leaf())) != kNoNode) name = graph_.UniqueName(base);
    return name;
  };
  for (const auto& [forward, first_made] : records_) {
    const NodeId gradient = gradients_[Index(forward)];
    if (gradient == kNoNode) continue;
    if (Index(gradient) < first_new_ && !graph_.has_stated_name(gradient))
      continue;  // a rule gave back a node of the user's
    const Path name = root / graph_.name(forward);
    const NodeId owner = graph_.FindId(name);
    if (owner == kNoNode || owner == gradient) {
      graph_.Rename(graph_.node(gradient), name);
      continue;
    }
    const Scope scope = Scope::Absolute(graph_, name.parent());  // an earlier call on this graph has the name
    graph_.Rename(graph_.node(gradient), unique(graph_.name(forward).parent(), name.leaf()));
  }
  for (size_t r = 0; r < records_.size(); ++r) {
    const size_t end = r + 1 < records_.size() ? records_[r + 1].first_made : graph_.size();
    if (records_[r].first_made == end) continue;
    const Path parent = graph_.name(records_[r].forward).parent();
    const Scope scope = Scope::Absolute(graph_, root / parent);
    for (size_t i = records_[r].first_made; i < end; ++i) {
      const Node made = graph_.node(NodeId{static_cast<uint32_t>(i)});
      if (!graph_.has_stated_name(made.id())) graph_.Rename(made, unique(parent, *made.op().name));
    }
  }
}

void RequireScalar(const Node& target) {
  if (IsFloating(target.dtype()) && target.shape().rank() == 0) return;
  throw GraphError(fmt::format("Gradients of '{}': got {}, expected a floating-point scalar",
                               Escaped(target.name().str()), ToString(target.type())));
}

void RequireConnected(const Node& target, std::span<const Node> variables, const BackwardWalk& walk) {
  constexpr size_t kNamed = 5;
  std::string unconnected;
  size_t count = 0;
  for (const Node& variable : variables) {
    if (walk.Reaches(variable) || ++count > kNamed) continue;
    unconnected += fmt::format("{}'{}'", unconnected.empty() ? "" : ", ", Escaped(variable.name().str()));
  }
  if (count > kNamed) unconnected += fmt::format(" and {} more", count - kNamed);
  if (count > 0)
    throw GraphError(
        fmt::format("Gradients of '{}': it does not depend on {}", Escaped(target.name().str()), unconnected));
}

}  // namespace

std::vector<Node> Gradients(Node target, std::span<const Node> variables, const GradientOptions& options) {
  Graph& graph = target.graph();
  RequireScalar(target);
  std::vector<NodeId> ids;
  for (const Node& variable : variables) {
    if (&variable.graph() != &graph)
      throw GraphError(fmt::format("Gradients of '{}': got a variable of another graph", Escaped(target.name().str())));
    ids.push_back(variable.id());
  }
  const std::vector<NodeId> path = Between(graph, ids, target.id());
  BackwardWalk walk(graph, path);
  if (options.unconnected == Unconnected::kError) RequireConnected(target, variables, walk);

  // Made under names of no meaning, so that no automatic name takes one that a gradient will get.
  const Scope nowhere = Scope::Absolute(graph, {});
  const Scope unnamed = Scope::Absolute(graph, graph.UniqueName("Backward"));
  if (!path.empty()) walk.Seed(target);
  for (size_t i = path.size(); i-- > 0;) walk.Visit(graph.node(path[i]));
  std::vector<Node> result;
  for (const Node& variable : variables) result.push_back(walk.GradientOf(variable));
  walk.StateNames();
  return result;
}

}  // namespace weft
