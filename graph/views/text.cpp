// Writer and reader of the text form.
#include "weft/graph/views/text.h"

#include <algorithm>
#include <iterator>
#include <map>

#include <fmt/format.h>

#include "weft/graph/error.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

constexpr std::string_view kHeader = "weft graph 1";
constexpr ValueKind kKinds[] = {ValueKind::kPlain, ValueKind::kLogits, ValueKind::kProbability,
                                ValueKind::kLogProbability, ValueKind::kMask};

bool IsBare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '/' || c == '-';
}

std::string NameText(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, IsBare) ? name : ToString(AttributeValue(name));
}

// ---- Reader --------------------------------------------------------------------------------------------------------

class Parser {
 public:
  Parser(std::string_view text, OpLookup lookup) : text_(text), lookup_(lookup) {}

  Graph Run() {
    if (!NextLine() || rest_ != kHeader) Fail(fmt::format("'{}'", kHeader));
    while (NextLine()) Line();
    return std::move(graph_);
  }

 private:
  // ---- Errors ----

  std::string Where() const {
    if (number_ == 0) return "graph text";
    const auto at = std::string_view(line_.data(), static_cast<size_t>(end_ - line_.data()) - rest_.size());
    const auto letters =
        std::ranges::count_if(at, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    return fmt::format("graph text, line {}, column {}", number_, letters + 1);
  }
  [[noreturn]] void Fail(std::string_view expected) const {
    const std::string got = rest_.empty() ? std::string("the end") : fmt::format("'{}'", Escaped(rest_, 40));
    throw GraphError(fmt::format("{}: got {}, expected {}", Where(), got, expected));
  }
  // Puts the place in front of what others throw.
  template <class Function>
  auto Guarded(const Function& function) const {
    try {
      return function();
    } catch (const GraphError& error) {
      throw GraphError(fmt::format("{}: {}", Where(), error.what()));
    } catch (const ResourceError& error) {
      throw ResourceError(fmt::format("{}: {}", Where(), error.what()));
    }
  }

  // ---- Words ----

  static bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r'; }
  void SkipSpaces() {
    while (!rest_.empty() && IsSpace(rest_.front())) rest_.remove_prefix(1);
  }
  bool Accept(std::string_view token) {
    SkipSpaces();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void Expect(std::string_view token) {
    if (!Accept(token)) Fail(fmt::format("'{}'", token));
  }
  void ExpectEnd() {
    SkipSpaces();
    if (!rest_.empty()) Fail("the end of the line");
  }
  std::string Name() {
    SkipSpaces();
    if (rest_.starts_with('"')) return std::get<std::string>(Guarded([&] { return ParseAttributeValue(rest_); }));
    const auto end = std::ranges::find_if_not(rest_, IsBare);
    std::string name(rest_.begin(), end);
    if (name.empty()) Fail("a name");
    rest_.remove_prefix(name.size());
    return name;
  }
  Node Reference() {
    SkipSpaces();
    const std::string_view before = rest_;
    const std::string name = Name();
    const NodeId id = Guarded([&] { return graph_.FindId(name); });
    if (id != kNoNode) return graph_.node(id);
    rest_ = before;
    Fail("a node of the lines above");
  }

  // ---- Lines ----

  bool NextLine() {
    while (!text_.empty()) {
      line_ = text_.substr(0, text_.find('\n'));
      text_.remove_prefix(std::min(line_.size() + 1, text_.size()));
      ++number_;
      rest_ = line_;
      if (line_.size() > kMaxTextLine)
        throw ResourceError(
            fmt::format("graph text, line {}: got {} bytes, expected at most {}", number_, line_.size(), kMaxTextLine));
      while (!rest_.empty() && IsSpace(rest_.back())) rest_.remove_suffix(1);
      end_ = rest_.data() + rest_.size();
      SkipSpaces();
      if (!rest_.empty() && rest_.front() != '#') return true;
    }
    rest_ = {};
    return false;
  }

  void Line() {
    const std::string name = Name();
    if (Accept("=")) return NodeLine(name);
    if (name == "alias") return AliasLine();
    if (name == "initial") return PairLine(&Graph::AddInitialValue);
    if (name == "update") return PairLine(&Graph::AddUpdate);
    if (name == "collection") return CollectionLine();
    Fail("'='");
  }

  void NodeLine(const std::string& name) {
    SkipSpaces();
    const std::string_view before = rest_;
    const std::string op_name = Name();
    const OpDef* const op = lookup_(op_name);
    if (op == nullptr) {
      rest_ = before;
      Fail("a known op");
    }
    std::vector<Node> operands;
    Expect("(");
    if (!Accept(")")) {
      do operands.push_back(Reference());
      while (Accept(","));
      Expect(")");
    }
    Attributes attributes = AttributeList();
    Expect(":");
    const Node node = Guarded([&] { return graph_.AddNamed(name, *op, operands, std::move(attributes)); });
    StateType(node);
  }

  Attributes AttributeList() {
    Attributes attributes;
    if (!Accept("{")) return attributes;
    while (!Accept("}")) {
      const std::string_view before = rest_;
      const std::string key = Name();
      if (attributes.Find(key) != nullptr) {
        rest_ = before;
        Fail("another attribute");
      }
      Expect("=");
      SkipSpaces();
      attributes.Set(key, Guarded([&] { return ParseAttributeValue(rest_); }));
    }
    return attributes;
  }

  // The type is derived; the text repeats it, and adds a kind where one was stated.
  void StateType(Node node) {
    SkipSpaces();
    for (ValueKind kind : kKinds) {
      if (rest_ != ToString(TensorType{.dtype = node.dtype(), .shape = node.shape(), .kind = kind})) continue;
      return graph_.SetKind(node, kind);
    }
    Fail(ToString(node.type()));
  }

  void AliasLine() {
    const std::string alias = Name();
    Expect("=");
    const Node node = Reference();
    Guarded([&] { graph_.Rename(node, alias); });
    ExpectEnd();
  }

  void PairLine(void (Graph::*add)(Node, Node)) {
    const Node variable = Reference();
    Expect("<-");
    const Node value = Reference();
    Guarded([&] { (graph_.*add)(variable, value); });
    ExpectEnd();
  }

  void CollectionLine() {
    const std::string key = Name();
    Expect(":");
    do graph_.AddToCollection(key, Reference());
    while (Accept(","));
    ExpectEnd();
  }

  std::string_view text_;  // the lines that are not read yet
  OpLookup lookup_;
  Graph graph_;
  std::string_view line_;
  std::string_view rest_;      // of the line, not read yet
  const char* end_ = nullptr;  // of the line, without spaces behind it
  size_t number_ = 0;
};

}  // namespace

std::string ToText(const Graph& graph) {
  std::string text = fmt::format("{}\n", kHeader);
  const auto out = std::back_inserter(text);
  const auto name = [&graph](NodeId id) { return NameText(graph.name(id).str()); };
  const auto list = [&](std::span<const NodeId> ids) {
    for (size_t i = 0; i < ids.size(); ++i) fmt::format_to(out, "{}{}", i > 0 ? ", " : "", name(ids[i]));
  };
  for (uint32_t i = 0; i < graph.size(); ++i) {
    const NodeId id{i};
    fmt::format_to(out, "{} = {}(", name(id), *graph.op(id).name);
    list(graph.operands(id));
    text += ")";
    if (!graph.attributes(id).empty()) fmt::format_to(out, " {{{}}}", ToString(graph.attributes(id)));
    fmt::format_to(out, " : {}\n", ToString(graph.type(id)));
  }
  for (const auto& [alias, id] : std::map(graph.aliases().begin(), graph.aliases().end()))
    fmt::format_to(out, "alias {} = {}\n", NameText(alias), name(id));
  for (const auto& [variable, value] : graph.initial_values())
    fmt::format_to(out, "initial {} <- {}\n", name(variable), name(value));
  for (const auto& [variable, value] : graph.updates())
    fmt::format_to(out, "update {} <- {}\n", name(variable), name(value));
  for (const auto& [key, ids] : graph.collections()) {
    fmt::format_to(out, "collection {} : ", NameText(key));
    list(ids);
    text += "\n";
  }
  return text;
}

Graph ParseText(std::string_view text, OpLookup lookup) { return Parser(text, lookup).Run(); }

}  // namespace weft
