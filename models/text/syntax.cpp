// A recursive descent whose depth has a limit; chains of + − * / are loops.
#include "weft/models/text/syntax.h"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "weft/graph/error.h"
#include "weft/graph/path.h"

namespace weft {
namespace {

class Parser {
 public:
  explicit Parser(const ModelSource& source) : source_(source), words_(source), token_(words_.Next()) {}

  std::vector<ModelStatement> Run() {
    SkipLines();
    for (std::string_view word : {"weft", "model", "1"}) {
      if (token_.text != word) Fail("the first line to be 'weft model 1'");
      Advance();
    }
    EndStatement();
    std::vector<ModelStatement> statements;
    for (SkipLines(); token_.kind != ModelToken::Kind::kEnd; SkipLines()) statements.push_back(OneStatement());
    return statements;
  }

 private:
  // ---- Words ----

  static std::string Quoted(std::string_view text) { return fmt::format("'{}'", Escaped(text, 40)); }
  [[noreturn]] void Fail(std::string_view expected) const {
    const bool is_end = token_.kind == ModelToken::Kind::kEnd, is_line = token_.kind == ModelToken::Kind::kLine;
    source_.Fail(token_.at, is_end ? "the end" : is_line ? "the end of the line" : Quoted(token_.text), expected);
  }
  ModelToken Advance() {
    const ModelToken token = token_;
    token_ = words_.Next();
    return token;
  }
  bool IsOneOf(std::string_view signs) const {
    return token_.kind == ModelToken::Kind::kSign && signs.find(token_.text[0]) != std::string_view::npos;
  }
  bool Is(char sign) const { return IsOneOf({&sign, 1}); }
  bool Accept(char sign) {
    if (!Is(sign)) return false;
    Advance();
    return true;
  }
  void Expect(char sign) {
    if (!Accept(sign)) Fail(fmt::format("'{}'", sign));
  }
  ModelToken Name(std::string_view expected = "a name") {
    if (token_.kind != ModelToken::Kind::kName) Fail(expected);
    return Advance();
  }
  void SkipLines() {
    while (token_.kind == ModelToken::Kind::kLine) Advance();
  }
  void EndStatement() {
    if (token_.kind != ModelToken::Kind::kLine && token_.kind != ModelToken::Kind::kEnd && !Is('}'))
      Fail("the end of the line");
  }

  ModelLevel Deeper() { return {source_, token_.at, depth_, kMaxModelNesting, "nesting"}; }

  // ---- Statements ----

  ModelStatement OneStatement() {
    const ModelToken word = Name("a statement");
    if (Is('=')) return Assignment(word);
    using Rule = ModelStatement (Parser::*)(const ModelToken&);
    static constexpr std::pair<std::string_view, Rule> kRules[] = {
        {"parameter", &Parser::Parameter}, {"block", &Parser::Block}, {"scope", &Parser::Scope},
        {"repeat", &Parser::Repeat},       {"role", &Parser::Role},   {"collection", &Parser::Collection}};
    std::vector<std::string_view> known;
    for (const auto& [name, rule] : kRules) {
      if (word.text == name) return (this->*rule)(word);
      known.push_back(name);
    }
    Fail(fmt::format("'='{}", DidYouMean(word.text, known)));
  }

  ModelStatement Assignment(const ModelToken& name) {
    ModelStatement statement = {.kind = ModelStatement::Kind::kAssign, .at = name.at, .name = name.text};
    Value(statement);
    if (Accept(':')) {
      statement.type = Name("a kind of values").text;
      while (token_.kind == ModelToken::Kind::kName) statement.type += fmt::format(" {}", Advance().text);
    }
    EndStatement();
    return statement;
  }
  ModelStatement Named(ModelStatement::Kind kind, std::string_view what) {
    const ModelToken name = Name(what);
    return {.kind = kind, .at = name.at, .name = name.text};
  }
  void Value(ModelStatement& statement) {
    Expect('=');
    statement.value.push_back(Sum());
  }
  ModelStatement Parameter(const ModelToken& word) {
    if (depth_ > 0) source_.Fail(word.at, Quoted(word.text), "it at the top: parameters are of the whole model");
    ModelStatement statement = Named(ModelStatement::Kind::kParameter, "the name of a parameter");
    Value(statement);
    EndStatement();
    return statement;
  }
  ModelStatement Role(const ModelToken&) {
    ModelStatement statement = Named(ModelStatement::Kind::kRole, "the name of a role");
    Value(statement);
    EndStatement();
    return statement;
  }
  ModelStatement Scope(const ModelToken&) {
    ModelStatement statement = Named(ModelStatement::Kind::kScope, "the name of a scope");
    Body(statement);
    return statement;
  }
  ModelStatement Repeat(const ModelToken& word) {
    ModelStatement statement = {.kind = ModelStatement::Kind::kRepeat, .at = word.at};
    statement.value.push_back(Sum());
    Body(statement);
    return statement;
  }
  ModelStatement Collection(const ModelToken&) {
    ModelStatement statement = Named(ModelStatement::Kind::kCollection, "the key of a collection");
    Expect(':');
    ModelExpression list = {.kind = ModelExpression::Kind::kList, .at = token_.at};
    do list.operands.push_back(Sum());
    while (Accept(','));
    statement.value.push_back(std::move(list));
    EndStatement();
    return statement;
  }
  ModelStatement Block(const ModelToken& word) {
    if (depth_ > 0) source_.Fail(word.at, Quoted(word.text), "it at the top: blocks are of the whole model");
    ModelStatement statement = Named(ModelStatement::Kind::kBlock, "the name of a block");
    Expect('(');
    if (!Accept(')')) {
      do statement.inputs.push_back(Name("the name of an input").text);
      while (Accept(','));
      Expect(')');
    }
    Body(statement);
    return statement;
  }

  // '{' statements '}', and at the end of a block what it returns.
  void Body(ModelStatement& statement) {
    const ModelLevel level = Deeper();
    const bool returns = statement.kind == ModelStatement::Kind::kBlock;
    Expect('{');
    for (SkipLines(); !Is('}'); SkipLines()) {
      if (returns && token_.text == "return") {
        Advance();
        statement.value.push_back(Sum());
        SkipLines();
        if (!Is('}')) Fail("'}': return is the last line of a block");
        break;
      }
      statement.body.push_back(OneStatement());
    }
    if (returns && statement.value.empty()) Fail("'return' and what the block gives");
    Expect('}');
    EndStatement();
  }

  // ---- Expressions ----

  ModelExpression Sum() {
    const ModelLevel level = Deeper();
    return Chain("+-", [this] { return Chain("*/", [this] { return Factor(); }); });
  }

  template <class Part>
  ModelExpression Chain(std::string_view signs, const Part& part) {
    ModelExpression first = part();
    if (!IsOneOf(signs)) return first;
    ModelExpression chain = {.kind = ModelExpression::Kind::kChain, .at = token_.at};
    chain.operands.push_back(std::move(first));
    while (IsOneOf(signs)) {
      chain.signs += Advance().text;
      chain.operands.push_back(part());
    }
    return chain;
  }

  ModelExpression Factor() {
    const ModelToken token = token_;
    switch (token.kind) {
      case ModelToken::Kind::kNumber: return Number(Advance());
      case ModelToken::Kind::kString:
        Advance();
        return {.kind = ModelExpression::Kind::kString,
                .at = token.at,
                .text = token.text.substr(1, token.text.size() - 2)};
      case ModelToken::Kind::kName: return NameOrCall(Advance());
      default: break;
    }
    if (Accept('-')) {
      const ModelLevel level = Deeper();
      ModelExpression negate = {.kind = ModelExpression::Kind::kNegate, .at = token.at};
      negate.operands.push_back(Factor());
      return negate;
    }
    if (Accept('[')) return List(token);
    if (!Accept('(')) Fail("an expression");
    ModelExpression inner = Sum();
    Expect(')');
    return inner;
  }

  ModelExpression Number(const ModelToken& token) const {
    double number = 0;
    const char* const end = token.text.data() + token.text.size();
    if (std::from_chars(token.text.data(), end, number).ec != std::errc())
      source_.Fail(token.at, Quoted(token.text), "a number of f64");
    return {.kind = ModelExpression::Kind::kNumber, .at = token.at, .number = number};
  }

  ModelExpression NameOrCall(const ModelToken& name) {
    ModelExpression expression = {.kind = ModelExpression::Kind::kName, .at = name.at, .text = name.text};
    if (!Accept('(')) return expression;
    expression.kind = ModelExpression::Kind::kCall;
    if (Accept(')')) return expression;
    do {
      expression.operands.push_back(Sum());
      expression.names.emplace_back();
      const ModelExpression& argument = expression.operands.back();
      if (argument.kind != ModelExpression::Kind::kName || !Accept('=')) continue;
      expression.names.back() = argument.text;
      expression.operands.back() = Sum();
    } while (Accept(','));
    Expect(')');
    return expression;
  }

  ModelExpression List(const ModelToken& bracket) {
    ModelExpression list = {.kind = ModelExpression::Kind::kList, .at = bracket.at};
    if (Accept(']')) return list;
    do list.operands.push_back(Sum());
    while (Accept(','));
    Expect(']');
    return list;
  }

  const ModelSource& source_;
  ModelWords words_;
  ModelToken token_;
  int depth_ = 0;
};

}  // namespace

std::vector<ModelStatement> ParseModelSyntax(const ModelSource& source) { return Parser(source).Run(); }

}  // namespace weft
