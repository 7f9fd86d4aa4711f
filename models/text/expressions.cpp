// Values of expressions. Operands are built from left to right, a number beside a node after it: as C++ does where it
// leaves no choice.
#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "weft/graph/path.h"
#include "weft/models/text/builder.h"
#include "weft/ops/operators.h"

namespace weft {
namespace {

constexpr int kMaxDepth = 4 * kMaxModelNesting;  // of blocks within blocks, too
constexpr int64_t kMaxSpent = 250'000;

template <class A, class B>
auto Apply(char sign, const A& a, const B& b) {
  switch (sign) {
    case '+': return a + b;
    case '-': return a - b;
    case '*': return a * b;
    default: return a / b;
  }
}

std::vector<std::string_view> Split(std::string_view signature) {
  std::vector<std::string_view> inputs;
  while (!signature.empty()) {
    const size_t end = std::min(signature.find(", "), signature.size());
    inputs.push_back(signature.substr(0, end));
    signature.remove_prefix(std::min(end + 2, signature.size()));
  }
  return inputs;
}

}  // namespace

void ModelBuilder::Spend(size_t at) {
  if (++spent_ <= kMaxSpent) return;
  throw ResourceError(
      fmt::format("{}: got more than {} statements and expressions, counted as often as they are "
                  "repeated, the limit",
                  source_.Where(at), kMaxSpent));
}

Node ModelBuilder::NodeOf(const ModelExpression& expression) {
  const ModelValue value = Evaluate(expression);
  if (const Node* node = std::get_if<Node>(&value)) return *node;
  source_.Fail(expression.at, KindOf(value), "a node");
}

ModelValue ModelBuilder::Evaluate(const ModelExpression& expression) {
  const ModelLevel level(source_, expression.at, depth_, kMaxDepth, "expressions and blocks");
  Spend(expression.at);
  switch (expression.kind) {
    case ModelExpression::Kind::kNumber: return expression.number;
    case ModelExpression::Kind::kString: return std::string(expression.text);
    case ModelExpression::Kind::kName: return Lookup(expression);
    case ModelExpression::Kind::kNegate: return Negated(expression);
    case ModelExpression::Kind::kChain: return Chain(expression);
    case ModelExpression::Kind::kCall: return Call(expression, std::nullopt);
    case ModelExpression::Kind::kList: break;
  }
  ModelList list;
  for (const ModelExpression& operand : expression.operands) list.values.push_back(Evaluate(operand));
  return list;
}

ModelValue ModelBuilder::Lookup(const ModelExpression& expression) {
  const std::string_view name = expression.text;
  if (name == "N") return BatchSize{};
  if (name == "true" || name == "false") return name == "true";
  for (const Locals* locals : {locals_, &globals_}) {
    if (const auto found = locals->find(name); found != locals->end()) return found->second;
  }
  if (const auto found = model_.parameters.find(name); found != model_.parameters.end()) return ValueOf(found->second);
  const Path path = source_.Guarded(expression.at, [&] { return Path(name); });
  for (Path scope = graph_.scope();; scope = scope.parent()) {  // from within outwards
    if (const NodeId id = graph_.FindId(scope / path); id != kNoNode) return graph_.node(id);
    if (scope.is_root()) break;
  }
  FailUnknown(expression);
}

void ModelBuilder::FailUnknown(const ModelExpression& name) const {
  std::vector<std::string> known;
  for (const Locals* locals : {static_cast<const Locals*>(locals_), &globals_}) {
    for (const auto& [local, value] : *locals) known.emplace_back(local);
  }
  for (const auto& [parameter, value] : model_.parameters) known.push_back(parameter);
  for (uint32_t i = 0; i < graph_.size(); ++i) {
    const Path& path = graph_.name(NodeId{i});
    known.push_back(path.str());
    const size_t prefix = graph_.scope().str().size() + 1;
    if (prefix > 1 && path.IsWithin(graph_.scope()) && path.str().size() > prefix)
      known.push_back(path.str().substr(prefix));
  }
  const bool is_quotient = !(name.text[0] >= 'A' && name.text[0] <= 'Z') && IsOfGraph(name.text);
  source_.Fail(name.at, Quoted(name.text),
               fmt::format("a name of the lines above{}{}", is_quotient ? "; a quotient has spaces, as 'a / b'" : "",
                           DidYouMean(name.text, std::vector<std::string_view>(known.begin(), known.end()))));
}

// ---- Operators -----------------------------------------------------------------------------------------------------

ModelValue ModelBuilder::Negated(const ModelExpression& expression) {
  const ModelValue value = Evaluate(expression.operands[0]);
  if (const double* number = std::get_if<double>(&value)) return -*number;
  const Node* const node = std::get_if<Node>(&value);
  if (node == nullptr) source_.Fail(expression.operands[0].at, KindOf(value), "a number or a node behind '-'");
  return source_.Guarded(expression.at, [&] { return -*node; });
}

ModelValue ModelBuilder::Chain(const ModelExpression& chain) {
  ModelValue value = Evaluate(chain.operands[0]);
  for (size_t i = 0; i < chain.signs.size(); ++i)
    value = Combined(chain.signs[i], value, Evaluate(chain.operands[i + 1]), chain.operands[i + 1].at);
  return value;
}

ModelValue ModelBuilder::Combined(char sign, const ModelValue& left, const ModelValue& right, size_t at) const {
  const auto combined = [&](const auto& a, const auto& b) -> ModelValue {
    using A = std::decay_t<decltype(a)>;
    using B = std::decay_t<decltype(b)>;
    constexpr bool kFits =
        (std::is_same_v<A, Node> || std::is_same_v<A, double>)&&(std::is_same_v<B, Node> || std::is_same_v<B, double>);
    if constexpr (kFits) return source_.Guarded(at, [&] { return Apply(sign, a, b); });
    source_.Fail(at, fmt::format("{} {} {}", KindOf(left), sign, KindOf(right)), "numbers and nodes");
  };
  const ModelValue value = std::visit(combined, left, right);
  const double* const number = std::get_if<double>(&value);
  if (number != nullptr && !std::isfinite(*number)) source_.Fail(at, fmt::format("{}", *number), "a finite number");
  return value;
}

// ---- Calls ---------------------------------------------------------------------------------------------------------

ModelValue ModelBuilder::Call(const ModelExpression& call, std::optional<std::string_view> name) {
  if (const auto block = blocks_.find(call.text); block != blocks_.end()) return CallBlock(call, *block->second);
  const std::optional<ModelFunction> function = FindModelFunction(call.text);
  if (!function) FailUnknownFunction(call);
  if (function->naming == ModelFunction::Naming::kAlways && !name) {
    source_.Fail(call.at, fmt::format("'{}' without a name of the graph", call.text),
                 fmt::format("a line of its own, 'Name = {}(…)': its name is what it is known by", call.text));
  }
  if (function->naming == ModelFunction::Naming::kAfterwards) name.reset();
  const std::vector<std::string_view> inputs = Split(function->signature);
  const ModelArguments arguments(graph_, source_, inputs, Bind(call, inputs), name);
  return source_.Guarded(call.at, [&] { return function->build(arguments); });
}

ModelValue ModelBuilder::CallBlock(const ModelExpression& call, const ModelStatement& block) {
  Arguments arguments = Bind(call, block.inputs);
  Locals inner;
  for (size_t i = 0; i < arguments.size(); ++i) inner.emplace(block.inputs[i], std::move(arguments[i]->value));
  Locals* const outer = std::exchange(locals_, &inner);
  PerformAll(block.body);
  ModelValue value = Evaluate(block.value[0]);
  locals_ = outer;
  return value;
}

void ModelBuilder::FailUnknownFunction(const ModelExpression& call) const {
  std::vector<std::string_view> known = ModelFunctionNames();
  for (const auto& [name, block] : blocks_) known.push_back(name);
  source_.Fail(call.at, Quoted(call.text),
               fmt::format("a layer, an op or a block of the lines above{}", DidYouMean(call.text, known)));
}

ModelBuilder::Arguments ModelBuilder::Bind(const ModelExpression& call, const std::vector<std::string_view>& inputs) {
  const auto fail = [&](size_t at, std::string_view got, std::string_view hint = {}) {
    source_.Fail(at, got, fmt::format("{}({}){}", call.text, fmt::join(inputs, ", "), hint));
  };
  std::vector<std::string_view> names;
  for (std::string_view input : inputs) names.push_back(input.substr(0, input.find('?')));
  Arguments arguments(inputs.size());
  for (size_t i = 0; i < call.operands.size(); ++i) {
    const ModelExpression& operand = call.operands[i];
    size_t place = i;
    if (!call.names[i].empty()) {
      place = static_cast<size_t>(std::ranges::find(names, call.names[i]) - names.begin());
      if (place == names.size()) fail(operand.at, Quoted(call.names[i]), DidYouMean(call.names[i], names));
    }
    if (place >= names.size()) fail(operand.at, fmt::format("{} arguments", call.operands.size()));
    if (arguments[place]) fail(operand.at, fmt::format("'{}' twice", names[place]));
    arguments[place] = {.value = Evaluate(operand), .at = operand.at};
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!arguments[i] && !inputs[i].ends_with('?')) fail(call.at, fmt::format("no '{}'", names[i]));
  }
  return arguments;
}

}  // namespace weft
