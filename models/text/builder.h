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

  ModelText Run(const std::vector<ModelStatement>& statements);
  // Of the statements that are parameters alone.
  ModelParameters Parameters(const std::vector<ModelStatement>& statements);

 private:
  // A name of the graph begins with a capital letter or is a path; others are of the text alone.
  static bool IsOfGraph(std::string_view name);
  static ModelValue ValueOf(const ModelParameters::mapped_type& parameter);
  static std::string Quoted(std::string_view text);

  using Arguments = std::vector<std::optional<ModelArguments::Argument>>;
  using Locals = std::map<std::string_view, ModelValue>;

  // statements.cpp
  void PerformAll(const std::vector<ModelStatement>& statements);
  void Perform(const ModelStatement& statement);
  void Parameter(const ModelStatement& statement);
  void Block(const ModelStatement& statement);
  void InScope(const ModelStatement& statement);
  void Repeat(const ModelStatement& statement);
  void Role(const ModelStatement& statement);
  void Collection(const ModelStatement& statement);
  void Assign(const ModelStatement& statement);
  void SetKind(const ModelStatement& statement, const ModelValue& value);
  void RequireSmall(const ModelStatement& statement, std::string_view what) const;
  void RefuseUnknownParameters() const;

  // expressions.cpp
  ModelValue Evaluate(const ModelExpression& expression);
  Node NodeOf(const ModelExpression& expression);
  ModelValue Lookup(const ModelExpression& name);
  [[noreturn]] void FailUnknown(const ModelExpression& name) const;
  ModelValue Negated(const ModelExpression& expression);
  ModelValue Chain(const ModelExpression& chain);
  ModelValue Combined(char sign, const ModelValue& left, const ModelValue& right, size_t at) const;
  // `name`: of the statement that is nothing but this call.
  ModelValue Call(const ModelExpression& call, std::optional<std::string_view> name);
  ModelValue CallBlock(const ModelExpression& call, const ModelStatement& block);
  [[noreturn]] void FailUnknownFunction(const ModelExpression& call) const;
  // The arguments by their places in `inputs`, where what may be left out ends in '?'.
  Arguments Bind(const ModelExpression& call, const std::vector<std::string_view>& inputs);
  void Spend(size_t at);  // one of the statements and expressions that a model may be

  Graph& graph_;
  const ModelSource& source_;
  const ModelParameters& given_;
  ModelText model_;
  std::map<std::string_view, const ModelStatement*> blocks_;
  Locals globals_;              // names of the text outside of blocks
  Locals* locals_ = &globals_;  // of the block that is at work, which sees the others, too
  int depth_ = 0;
  int64_t spent_ = 0;
};

}  // namespace weft
