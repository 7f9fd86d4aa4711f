// One function a rule. Ops are recognised by kinds and traits, and by name where only the formula makes the difference.
#include "weft/graph/lint.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "weft/graph/algorithms.h"
#include "weft/graph/error.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

struct Subject {
  const Graph& graph;
  std::vector<NodeId> targets;

  std::string_view op(NodeId id) const { return *graph.op(id).name; }
  std::string name(NodeId id) const { return Escaped(graph.name(id).str()); }
  bool is_variable(NodeId id) const { return graph.op(id).is_source(SourceKind::kVariable); }
  bool is_trainable(NodeId id) const {
    const AttributeValue* trainable = graph.attributes(id).Find("trainable");
    return is_variable(id) && (trainable == nullptr || *trainable == AttributeValue(true));
  }
};

using Findings = std::vector<Finding>;

void ForEachNode(const Graph& graph, const auto& visit) {
  for (uint32_t i = 0; i < graph.size(); ++i) visit(NodeId{i});
}

void DoubleSigmoid(const Subject& s, Findings& findings) {
  ForEachNode(s.graph, [&](NodeId id) {
    if (s.op(id) != "Sigmoid" || s.graph.type(s.graph.operands(id)[0]).kind != ValueKind::kProbability) return;
    findings.push_back({s.graph.name(id), "double-sigmoid",
                        fmt::format("'{}' is a sigmoid of '{}', which holds probabilities already: squashed twice, it "
                                    "stays within 0.5 … 0.73. Use the logits.",
                                    s.name(id), s.name(s.graph.operands(id)[0]))});
  });
}

// ---- A dead bias ---------------------------------------------------------------------------------------------------

// Behind views, repetitions and what only training keeps (ByMode is a view of its first operand).
NodeId Origin(const Graph& graph, NodeId id) {
  while (graph.op(id).is_view() || graph.op(id).traits.broadcasts) id = graph.operands(id)[0];
  return id;
}

bool IsSumOverBatch(const Subject& s, NodeId id, NodeId x) {
  if (s.op(id) != "ReduceSum" || s.graph.operands(id)[0] != x) return false;
  const AttributeValue* axis = s.graph.attributes(id).Find("axis");
  return axis != nullptr && *axis == AttributeValue(int64_t{0});
}

// m = Σ x / n, or Σ x · (1 / n)
bool IsMeanOverBatch(const Subject& s, NodeId m, NodeId x) {
  const NodeId id = Origin(s.graph, m);
  if (s.op(id) != "Divide" && s.op(id) != "Multiply") return false;
  return std::ranges::any_of(s.graph.operands(id),
                             [&](NodeId operand) { return IsSumOverBatch(s, Origin(s.graph, operand), x); });
}

// All that happens to x is x − mean(x), and what the mean needs.
bool LosesItsMean(const Subject& s, NodeId x) {
  bool subtracted = false;
  for (const Edge& use : s.graph.uses(x)) {
    const bool subtracts =
        s.op(use.target) == "Subtract" && use.operand == 0 && IsMeanOverBatch(s, s.graph.operands(use.target)[1], x);
    if (!subtracts && !IsSumOverBatch(s, use.target, x) && s.op(use.target) != "ElementCount") return false;
    subtracted = subtracted || subtracts;
  }
  return subtracted;
}

// The trainable variable that `term` repeats for each element of the batch, or kNoNode.
NodeId RepeatedVariable(const Subject& s, NodeId term) {
  const size_t rank = s.graph.type(term).shape.rank();
  bool repeated = false;
  for (NodeId id = term; s.graph.op(id).is_view() || s.graph.op(id).traits.broadcasts; id = s.graph.operands(id)[0]) {
    const Shape& from = s.graph.type(s.graph.operands(id)[0]).shape;
    repeated = repeated || (s.graph.op(id).traits.broadcasts && (from.rank() < rank || from[0] == Dim(1)));
  }
  const NodeId origin = Origin(s.graph, term);
  return repeated && s.is_trainable(origin) ? origin : kNoNode;
}

void DeadBias(const Subject& s, Findings& findings) {
  ForEachNode(s.graph, [&](NodeId id) {
    if (s.op(id) != "Add" || !LosesItsMean(s, id)) return;
    for (NodeId operand : s.graph.operands(id)) {
      const NodeId bias = RepeatedVariable(s, operand);
      if (bias == kNoNode) continue;
      findings.push_back({s.graph.name(bias), "dead-bias",
                          fmt::format("'{}' is added in '{}', from which the mean over the batch is subtracted, and "
                                      "this bias with it: its gradient is 0. Leave it out.",
                                      s.name(bias), s.name(id))});
    }
  });
}

// ---- Variables, placeholders, targets ------------------------------------------------------------------------------

void UnreachableVariable(const Subject& s, Findings& findings) {
  if (s.targets.empty()) return;
  std::vector<bool> updated(s.graph.size());
  std::vector<NodeId> wanted = s.targets;
  const std::vector<bool> reached = Ancestors(s.graph, s.targets);
  for (const auto& [variable, value] : s.graph.updates()) {
    updated[Index(variable)] = true;
    // An optimiser's slots serve the variable that they move; a running mean or a step counter is there for itself.
    if (reached[Index(variable)] || !s.is_trainable(variable)) wanted.push_back(value);
  }
  const std::vector<bool> needed = Ancestors(s.graph, wanted);
  ForEachNode(s.graph, [&](NodeId id) {
    if (!s.is_variable(id) || needed[Index(id)] || (updated[Index(id)] && !s.is_trainable(id))) return;
    findings.push_back(
        {s.graph.name(id), "unreachable-variable",
         fmt::format("'{}' has no influence on '{}': it will never be trained. Connect it or leave it out.", s.name(id),
                     s.name(s.targets[0]))});
  });
}

void UnusedPlaceholder(const Subject& s, Findings& findings) {
  ForEachNode(s.graph, [&](NodeId id) {
    if (!s.graph.op(id).is_source(SourceKind::kPlaceholder) || !s.graph.uses(id).empty() ||
        std::ranges::count(s.targets, id) > 0)
      return;
    findings.push_back({s.graph.name(id), "unused-placeholder",
                        fmt::format("'{}' is read by no node: what is fed to it makes no difference.", s.name(id))});
  });
}

void LossNotScalar(const Subject& s, Findings& findings) {
  for (NodeId id : s.targets) {
    if (s.graph.type(id).shape.rank() == 0) continue;
    findings.push_back({s.graph.name(id), "loss-not-scalar",
                        fmt::format("'{}' is {}, but what is minimised is one number. Take its mean over the batch.",
                                    s.name(id), ToString(s.graph.type(id)))});
  }
}

// ---- Names ---------------------------------------------------------------------------------------------------------

// The outermost scope of `name` with a counter, "Encoder/FullyConnected_1", if `scopes` has the one without: the root
// if none.
Path CountedScope(const Path& name, const std::set<Path>& scopes) {
  Path found;
  for (Path scope = name.parent(); !scope.is_root(); scope = scope.parent()) {
    const std::string_view leaf = scope.leaf();
    const size_t end = leaf.find_last_not_of("0123456789");
    const bool counted = end != std::string_view::npos && end > 0 && end + 1 < leaf.size() && leaf[end] == '_';
    if (counted && scopes.contains(scope.parent() / Path(leaf.substr(0, end)))) found = scope;
  }
  return found;
}

void AutomaticName(const Subject& s, Findings& findings) {
  std::set<Path> scopes, told;
  const auto for_each_trainable = [&s](const auto& visit) {
    ForEachNode(s.graph, [&](NodeId id) {
      if (s.is_trainable(id)) visit(s.graph.name(id));
    });
  };
  for_each_trainable([&scopes](const Path& name) {
    for (Path scope = name.parent(); !scope.is_root() && scopes.insert(scope).second;) scope = scope.parent();
  });
  for_each_trainable([&](const Path& name) {
    const Path scope = CountedScope(name, scopes);
    if (scope.is_root() || !told.insert(scope).second) return;
    findings.push_back({scope, "automatic-name",
                        fmt::format("'{}' is an automatic name, and '{}' reaches checkpoints under it: inserting a "
                                    "layer moves the counter. State the layer's name.",
                                    Escaped(scope.str()), Escaped(name.str()))});
  });
}

constexpr void (*kRules[])(const Subject&, Findings&) = {DoubleSigmoid,     DeadBias,      UnreachableVariable,
                                                         UnusedPlaceholder, LossNotScalar, AutomaticName};

}  // namespace

std::vector<Finding> Lint(const Graph& graph, std::span<const Node> targets) {
  Subject subject{graph, {}};
  for (const Node& target : targets) {
    if (&target.graph() != &graph)
      throw GraphError(fmt::format("Lint: target '{}' is of another graph", Escaped(target.name().str())));
    subject.targets.push_back(target.id());
  }
  Findings findings;
  for (const auto& rule : kRules) rule(subject, findings);
  return findings;
}

}  // namespace weft
