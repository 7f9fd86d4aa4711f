// One function a statement.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "weft/graph/path.h"
#include "weft/graph/scope.h"
#include "weft/models/text/builder.h"

namespace weft {
namespace {

constexpr double kMaxRepetitions = 1000;

constexpr ValueKind kKinds[] = {ValueKind::kPlain, ValueKind::kLogits, ValueKind::kProbability,
                                ValueKind::kLogProbability, ValueKind::kMask};

}  // namespace

std::string ModelBuilder::Quoted(std::string_view text) { return fmt::format("'{}'", Escaped(text, 80)); }
bool ModelBuilder::IsOfGraph(std::string_view name) {
  return (name[0] >= 'A' && name[0] <= 'Z') || name.find('/') != std::string_view::npos;
}
ModelValue ModelBuilder::ValueOf(const ModelParameters::mapped_type& parameter) {
  return std::visit([](const auto& value) { return ModelValue(value); }, parameter);
}

ModelText ModelBuilder::Run(const std::vector<ModelStatement>& statements) {
  PerformAll(statements);
  RefuseUnknownParameters();
  return std::move(model_);
}

ModelParameters ModelBuilder::Parameters(const std::vector<ModelStatement>& statements) {
  for (const ModelStatement& statement : statements) {
    if (statement.kind == ModelStatement::Kind::kParameter) Parameter(statement);
  }
  return std::move(model_.parameters);
}

void ModelBuilder::Perform(const ModelStatement& statement) {
  Spend(statement.at);
  switch (statement.kind) {
    case ModelStatement::Kind::kParameter: return Parameter(statement);
    case ModelStatement::Kind::kBlock: return Block(statement);
    case ModelStatement::Kind::kScope: return InScope(statement);
    case ModelStatement::Kind::kRepeat: return Repeat(statement);
    case ModelStatement::Kind::kRole: return Role(statement);
    case ModelStatement::Kind::kCollection: return Collection(statement);
    case ModelStatement::Kind::kAssign: return Assign(statement);
  }
}
void ModelBuilder::PerformAll(const std::vector<ModelStatement>& statements) {
  for (const ModelStatement& statement : statements) Perform(statement);
}

void ModelBuilder::Parameter(const ModelStatement& statement) {
  RequireSmall(statement, "a parameter");
  const ModelValue value = Evaluate(statement.value[0]);
  auto& parameter = model_.parameters[std::string(statement.name)];
  if (const auto* number = std::get_if<double>(&value)) parameter = *number;
  else if (const auto* flag = std::get_if<bool>(&value)) parameter = *flag;
  else if (const auto* text = std::get_if<std::string>(&value)) parameter = *text;
  else source_.Fail(statement.value[0].at, KindOf(value), "a number, a string, true or false");
  const auto given = given_.find(statement.name);
  if (given == given_.end()) return;
  if (given->second.index() != parameter.index()) {
    source_.Fail(statement.at, fmt::format("{} for parameter '{}'", KindOf(ValueOf(given->second)), statement.name),
                 KindOf(value));
  }
  parameter = given->second;
}

void ModelBuilder::Block(const ModelStatement& statement) {
  if (statement.name.find('/') != std::string_view::npos)
    source_.Fail(statement.at, Quoted(statement.name), "a name without '/'");
  if (FindModelFunction(statement.name) || !blocks_.emplace(statement.name, &statement).second)
    source_.Fail(statement.at, fmt::format("{}, which is taken", Quoted(statement.name)), "another name");
  for (std::string_view input : statement.inputs) {
    if (IsOfGraph(input) || std::ranges::count(statement.inputs, input) > 1)
      source_.Fail(statement.at, fmt::format("the input {}", Quoted(input)), "inputs with small letters, each once");
  }
}

void ModelBuilder::InScope(const ModelStatement& statement) {
  const Scope scope(graph_, source_.Guarded(statement.at, [&] { return Path(statement.name); }));
  PerformAll(statement.body);
}

void ModelBuilder::Repeat(const ModelStatement& statement) {
  const ModelValue value = Evaluate(statement.value[0]);
  const double* const times = std::get_if<double>(&value);
  if (times == nullptr || *times != std::floor(*times) || *times < 0 || *times > kMaxRepetitions) {
    source_.Fail(statement.value[0].at, times == nullptr ? std::string(KindOf(value)) : fmt::format("{}", *times),
                 fmt::format("a whole number from 0 to {}", kMaxRepetitions));
  }
  for (int i = 0; i < *times; ++i) PerformAll(statement.body);
}

void ModelBuilder::Role(const ModelStatement& statement) {
  const Node node = NodeOf(statement.value[0]);
  if (!model_.roles.emplace(statement.name, node).second)
    source_.Fail(statement.at, fmt::format("the role {} twice", Quoted(statement.name)), "it once");
}

void ModelBuilder::Collection(const ModelStatement& statement) {
  for (const ModelExpression& part : statement.value[0].operands) graph_.AddToCollection(statement.name, NodeOf(part));
}

void ModelBuilder::Assign(const ModelStatement& statement) {
  const ModelExpression& expression = statement.value[0];
  if (!IsOfGraph(statement.name)) {
    RequireSmall(statement, "a value");
    if (model_.parameters.contains(statement.name))
      source_.Fail(statement.at, fmt::format("{}, which is a parameter", Quoted(statement.name)), "another name");
    const ModelValue value = Evaluate(expression);
    if (!statement.type.empty()) SetKind(statement, value);
    locals_->insert_or_assign(statement.name, value);
    return;
  }
  if (statement.name == "N") source_.Fail(statement.at, "'N', which is the batch size", "another name");
  const ModelValue value =
      expression.kind == ModelExpression::Kind::kCall ? Call(expression, statement.name) : Evaluate(expression);
  const Node* const node = std::get_if<Node>(&value);
  if (node == nullptr) source_.Fail(expression.at, KindOf(value), "a node, which has a name in the graph");
  source_.Guarded(statement.at, [&] { Named(statement.name, *node); });
  if (!statement.type.empty()) SetKind(statement, value);
}

// Small letters, no '/', and not a word of the language.
void ModelBuilder::RequireSmall(const ModelStatement& statement, std::string_view what) const {
  if (!IsOfGraph(statement.name) && statement.name != "true" && statement.name != "false") return;
  source_.Fail(statement.at, Quoted(statement.name), fmt::format("{} with a small letter in front", what));
}

void ModelBuilder::SetKind(const ModelStatement& statement, const ModelValue& value) {
  const Node* const node = std::get_if<Node>(&value);
  std::vector<std::string_view> names;
  for (ValueKind kind : kKinds) {
    names.push_back(Name(kind));
    if (Name(kind) == statement.type && node != nullptr) return graph_.SetKind(*node, kind);
  }
  source_.Fail(statement.at, fmt::format("the kind {}", Quoted(statement.type)),
               fmt::format("a node and one of {}{}", fmt::join(names, ", "), DidYouMean(statement.type, names)));
}

void ModelBuilder::RefuseUnknownParameters() const {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : model_.parameters) names.push_back(name);
  for (const auto& [name, value] : given_) {
    if (model_.parameters.contains(name)) continue;
    throw GraphError(fmt::format("{}: got the parameter {}, expected {}{}{}", source_.title(), Quoted(name),
                                 names.empty() ? "none" : "one of ", fmt::join(names, ", "), DidYouMean(name, names)));
  }
}

}  // namespace weft
