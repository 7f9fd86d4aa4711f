// From the tree of a model file to nodes, in the order in which it stands there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/graph/graph.h"
#include "weft/models/model_text.h"
#include "weft/models/text/functions.h"
#include "weft/models/text/syntax.h"

namespace weft {

class ModelBuilder {
 public:
  ModelBuilder(Graph& graph, const ModelSource& source, const ModelParameters& given)
      : graph_(graph), source_(source), given_(given) {}
  ModelBuilder(const ModelBuilder&) = delete;
  ModelBuilder& operator=(const ModelBuilder&) = delete;

  ModelText Run(const std::vector<Statement>& statements);
  // Of the statements that are parameters alone.
  ModelParameters Parameters(const std::vector<Statement>& statements);

 private:
  using Arguments = std::vector<std::optional<ModelArguments::Argument>>;
  using Locals = std::map<std::string_view, ModelValue>;

  // statements.cpp
  void PerformAll(const std::vector<Statement>& statements);
  void Perform(const Statement& statement);
  void Parameter(const Statement& statement);
  void Block(const Statement& statement);
  void InScope(const Statement& statement);
  void Repeat(const Statement& statement);
  void Role(const Statement& statement);
  void Collection(const Statement& statement);
  void Assign(const Statement& statement);
  void SetKind(const Statement& statement, const ModelValue& value);
  void RequireSmall(const Statement& statement, std::string_view what) const;
  void RefuseUnknownParameters() const;

  // expressions.cpp
  ModelValue Evaluate(const Expression& expression);
  Node NodeOf(const Expression& expression);
  ModelValue Lookup(const Expression& name);
  [[noreturn]] void FailUnknown(const Expression& name) const;
  ModelValue Negated(const Expression& expression);
  ModelValue Chain(const Expression& chain);
  ModelValue Combined(char sign, const ModelValue& left, const ModelValue& right, size_t at) const;
  // `name`: of the statement that is nothing but this call.
  ModelValue Call(const Expression& call, std::optional<std::string_view> name);
  ModelValue CallBlock(const Expression& call, const Statement& block);
  [[noreturn]] void FailUnknownFunction(const Expression& call) const;
  // The arguments by their places in `inputs`, where what may be left out ends in '?'.
  Arguments Bind(const Expression& call, const std::vector<std::string_view>& inputs);
  void Spend(size_t at);  // one of the statements and expressions that a model may be

  Graph& graph_;
  const ModelSource& source_;
  const ModelParameters& given_;
  ModelText model_;
  std::map<std::string_view, const Statement*> blocks_;
  Locals globals_;              // names of the text outside of blocks
  Locals* locals_ = &globals_;  // of the block that is at work, which sees the others, too
  int depth_ = 0;
  int64_t spent_ = 0;
};

// A name of the graph begins with a capital letter or is a path; others are of the text alone.
bool IsOfGraph(std::string_view name);
ModelValue ValueOf(const ModelParameters::mapped_type& parameter);
std::string Quoted(std::string_view text);

}  // namespace weft
