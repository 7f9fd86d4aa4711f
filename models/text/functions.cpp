// One line a function.
#include "weft/models/text/functions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "weft/graph/path.h"
#include "weft/models/distributions.h"
#include "weft/models/layers.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"

namespace weft {
namespace {

using Arguments = ModelArguments;
using Naming = ModelFunction::Naming;

Initializer InitializerAt(const Arguments& a, size_t i) {
  static constexpr std::array<std::string_view, 4> kNames = {"tutorial", "torch", "glorot", "he"};
  static constexpr std::array kValues = {Initializer::kTutorial, Initializer::kTorch, Initializer::kGlorot,
                                         Initializer::kHe};
  return a.Has(i) ? kValues[a.ChoiceAt(i, kNames)] : Initializer::kTutorial;
}

Node BuildFullyConnected(const Arguments& a) {
  const FullyConnectedOptions options = {.initializer = InitializerAt(a, 2), .bias = a.FlagAt(3, true)};
  return a.name() ? FullyConnected(*a.name(), a.NodeAt(0), a.WholeAt(1), options)
                  : FullyConnected(a.NodeAt(0), a.WholeAt(1), options);
}

Node BuildBatchNormalization(const Arguments& a) {
  const BatchNormalizationOptions standard;
  const BatchNormalizationOptions options = {.decay = a.NumberAt(1, standard.decay),
                                             .epsilon = a.NumberAt(2, standard.epsilon),
                                             .unbiased_moving_variance = a.FlagAt(3, standard.unbiased_moving_variance),
                                             .initializer = InitializerAt(a, 4)};
  return a.name() ? BatchNormalization(*a.name(), a.NodeAt(0), options) : BatchNormalization(a.NodeAt(0), options);
}

Node BuildPlaceholder(const Arguments& a) {
  PlaceholderOptions options = {.dtype = a.DTypeAt(1, DType::kFloat32)};
  if (a.Has(2)) options.default_value = a.NumberAt(2);
  return Placeholder(a.graph(), *a.name(), a.ShapeAt(0), options);
}

template <Node (*build)(Graph&, std::string_view, const Shape&, DType)>
Node BuildRandom(const Arguments& a) {
  return build(a.graph(), *a.name(), a.ShapeAt(0), a.DTypeAt(1, DType::kFloat32));
}

template <Node (*build)(Node, Node)>
Node BuildPair(const Arguments& a) {
  return build(a.NodeAt(0), a.NodeAt(1));
}

template <Node (*over_all)(Node), Node (*over)(Node, const Axes&)>
Node BuildReduction(const Arguments& a) {
  return a.Has(1) ? over(a.NodeAt(0), a.AxesAt(1)) : over_all(a.NodeAt(0));
}

DiagonalNormal NormalAt(const Arguments& a, size_t i) { return {.mean = a.NodeAt(i), .log_variance = a.NodeAt(i + 1)}; }

struct Entry {
  std::string_view name, signature;
  Naming naming;
  Node (*build)(const Arguments&);
};

constexpr Naming kAfterwards = Naming::kAfterwards;

constexpr Entry kTable[] = {
    // Layers, and what a name belongs to
    {"FullyConnected", "x, units, initializer?, bias?", Naming::kPerhaps, BuildFullyConnected},
    {"BatchNormalization", "x, decay?, epsilon?, unbiased_moving_variance?, initializer?", Naming::kPerhaps,
     BuildBatchNormalization},
    {"Placeholder", "shape, dtype?, default?", Naming::kAlways, BuildPlaceholder},
    {"Variable", "initial, trainable?", Naming::kAlways,
     [](const Arguments& a) { return Variable(*a.name(), a.NodeAt(0), {.trainable = a.FlagAt(1, true)}); }},
    {"RandomUniform", "shape, dtype?", Naming::kAlways, BuildRandom<RandomUniform>},
    {"RandomNormal", "shape, dtype?", Naming::kAlways, BuildRandom<RandomNormal>},
    {"TruncatedNormal", "shape, dtype?", Naming::kAlways, BuildRandom<TruncatedNormal>},
    {"RandomNormalLike", "x", Naming::kAlways,
     [](const Arguments& a) { return RandomNormalLike(*a.name(), a.NodeAt(0)); }},
    {"Constant", "value, dtype?", kAfterwards,
     [](const Arguments& a) { return Constant(a.graph(), a.NumberAt(0), a.DTypeAt(1, DType::kFloat32)); }},
    // Elementwise
    {"LeakyRelu", "x, slope?", kAfterwards,
     [](const Arguments& a) { return LeakyRelu(a.NodeAt(0), a.NumberAt(1, 0.01)); }},
    {"Elu", "x, alpha?", kAfterwards, [](const Arguments& a) { return Elu(a.NodeAt(0), a.NumberAt(1, 1)); }},
    {"Gelu", "x", kAfterwards, [](const Arguments& a) { return Gelu(a.NodeAt(0)); }},
    {"Clamp", "x, low, high", kAfterwards,
     [](const Arguments& a) { return Clamp(a.NodeAt(0), a.NumberAt(1), a.NumberAt(2)); }},
    {"Greater", "a, b", kAfterwards, BuildPair<Greater>},
    {"GreaterEqual", "a, b", kAfterwards, BuildPair<GreaterEqual>},
    {"Less", "a, b", kAfterwards, BuildPair<Less>},
    {"LessEqual", "a, b", kAfterwards, BuildPair<LessEqual>},
    {"Equal", "a, b", kAfterwards, BuildPair<Equal>},
    {"NotEqual", "a, b", kAfterwards, BuildPair<NotEqual>},
    {"Cast", "x, dtype", kAfterwards,
     [](const Arguments& a) { return Cast(a.NodeAt(0), a.DTypeAt(1, DType::kFloat32)); }},
    // Reductions
    {"ReduceSum", "x, axes?", kAfterwards, BuildReduction<ReduceSum, ReduceSum>},
    {"ReduceMean", "x, axes?", kAfterwards, BuildReduction<ReduceMean, ReduceMean>},
    {"ReduceMax", "x, axes?", kAfterwards, BuildReduction<ReduceMax, ReduceMax>},
    {"LogSoftmax", "x", kAfterwards, [](const Arguments& a) { return LogSoftmax(a.NodeAt(0)); }},
    {"ElementCount", "x, axes", kAfterwards, [](const Arguments& a) { return ElementCount(a.NodeAt(0), a.AxesAt(1)); }},
    // Layout and products
    {"BroadcastTo", "x, shape", kAfterwards, [](const Arguments& a) { return BroadcastTo(a.NodeAt(0), a.ShapeAt(1)); }},
    {"Reshape", "x, shape", kAfterwards, [](const Arguments& a) { return Reshape(a.NodeAt(0), a.ShapeAt(1)); }},
    {"Transpose", "x, permutation", kAfterwards,
     [](const Arguments& a) { return Transpose(a.NodeAt(0), a.AxesAt(1)); }},
    {"Slice", "x, axis, begin, end", kAfterwards,
     [](const Arguments& a) { return Slice(a.NodeAt(0), a.WholeAt(1), a.WholeAt(2), a.WholeAt(3)); }},
    {"Concatenate", "parts, axis", kAfterwards,
     [](const Arguments& a) { return Concatenate(a.NodesAt(0), a.WholeAt(1)); }},
    {"MatMul", "left, right, transpose_left?, transpose_right?", kAfterwards,
     [](const Arguments& a) {
       return MatMul(a.NodeAt(0), a.NodeAt(1),
                     {.transpose_left = a.FlagAt(2, false), .transpose_right = a.FlagAt(3, false)});
     }},
    // Losses
    {"SigmoidCrossEntropy", "logits, target", kAfterwards,
     [](const Arguments& a) { return SigmoidCrossEntropy({.logits = a.NodeAt(0), .target = a.NodeAt(1)}); }},
    {"BernoulliLogProbability", "logits, value", kAfterwards,
     [](const Arguments& a) { return BernoulliLogProbability({.logits = a.NodeAt(0), .value = a.NodeAt(1)}); }},
    {"NormalLogProbability", "mean, log_variance, value", kAfterwards,
     [](const Arguments& a) {
       const DiagonalNormal p = NormalAt(a, 0);
       return NormalLogProbability(p, a.NodeAt(2));
     }},
    {"KullbackLeiblerToStandardNormal", "mean, log_variance", kAfterwards,
     [](const Arguments& a) { return KullbackLeiblerToStandardNormal(NormalAt(a, 0)); }},
    {"KullbackLeibler", "mean, log_variance, prior_mean, prior_log_variance", kAfterwards,
     [](const Arguments& a) {
       const DiagonalNormal q = NormalAt(a, 0);
       return KullbackLeibler(q, NormalAt(a, 2));
     }},
};

Node BuildOp(const OpDef& op, const Arguments& a) {
  std::vector<Node> operands;
  for (size_t i = 0; i < a.size(); ++i) operands.push_back(a.NodeAt(i));
  return op.is_elementwise() ? Elementwise(op, std::move(operands)) : a.graph().Add(op, operands);
}

bool TakesNodesAlone(const OpDef& op) {
  return *op.arity > 0 &&
         std::ranges::all_of(op.samples().samples, [](const Sample& sample) { return sample.attributes.empty(); });
}

}  // namespace

std::string_view KindOf(const ModelValue& value) {
  static constexpr std::string_view kKinds[] = {"a number", "true or false", "a string", "N", "a node", "a list"};
  return kKinds[value.index()];
}

// ---- Arguments -----------------------------------------------------------------------------------------------------

void ModelArguments::Fail(size_t i, std::string_view got, std::string_view expected) const {
  source_.Fail(arguments_[i]->at, fmt::format("{} for '{}'", got, inputs_[i].substr(0, inputs_[i].find('?'))),
               expected);
}

template <class T>
const T& ModelArguments::Get(size_t i, std::string_view expected) const {
  if (const T* value = std::get_if<T>(&arguments_[i]->value)) return *value;
  Fail(i, KindOf(arguments_[i]->value), expected);
}

Node ModelArguments::NodeAt(size_t i) const {
  const double* const number = std::get_if<double>(&arguments_[i]->value);
  if (number == nullptr) return Get<Node>(i, "a node");
  for (const auto& argument : arguments_) {
    if (!argument) continue;
    if (const Node* node = std::get_if<Node>(&argument->value)) return Constant(graph_, *number, node->dtype());
  }
  Fail(i, "a number", "a node");
}

std::vector<Node> ModelArguments::NodesAt(size_t i) const {
  std::vector<Node> nodes;
  for (const ModelValue& value : Get<ModelList>(i, "a list of nodes").values) {
    const Node* const node = std::get_if<Node>(&value);
    if (node == nullptr) Fail(i, fmt::format("{} in the list", KindOf(value)), "nodes");
    nodes.push_back(*node);
  }
  if (nodes.empty()) Fail(i, "an empty list", "nodes");
  return nodes;
}

double ModelArguments::NumberAt(size_t i) const { return Get<double>(i, "a number"); }

int64_t ModelArguments::Whole(size_t i, const ModelValue& value) const {
  constexpr double kExact = 9007199254740992;  // 2⁵³
  const double* const number = std::get_if<double>(&value);
  if (number == nullptr) Fail(i, KindOf(value), "a whole number");
  if (*number != std::floor(*number) || std::abs(*number) > kExact)
    Fail(i, fmt::format("{}", *number), "a whole number");
  return static_cast<int64_t>(*number);
}

int64_t ModelArguments::WholeAt(size_t i) const { return Whole(i, arguments_[i]->value); }

bool ModelArguments::FlagAt(size_t i, bool otherwise) const {
  return Has(i) ? Get<bool>(i, "true or false") : otherwise;
}

Shape ModelArguments::ShapeAt(size_t i) const {
  std::vector<Dim> dims;
  for (const ModelValue& value : Get<ModelList>(i, "a shape, as [N, 784]").values)
    dims.push_back(std::holds_alternative<BatchSize>(value) ? kBatch : Dim(Whole(i, value)));
  return Shape(dims);
}

Axes ModelArguments::AxesAt(size_t i) const {
  if (std::holds_alternative<double>(arguments_[i]->value)) return {WholeAt(i)};
  Axes axes;
  for (const ModelValue& value : Get<ModelList>(i, "a list of axes, as [0, 1], or one of them").values)
    axes.push_back(Whole(i, value));
  return axes;
}

DType ModelArguments::DTypeAt(size_t i, DType otherwise) const {
  if (!Has(i)) return otherwise;
  static constexpr std::array kNames = {Name(DType::kFloat32), Name(DType::kFloat64), Name(DType::kInt64),
                                        Name(DType::kBool)};
  return kAllDTypes[ChoiceAt(i, kNames)];
}

size_t ModelArguments::ChoiceAt(size_t i, std::span<const std::string_view> of) const {
  const std::string& text = Get<std::string>(i, fmt::format("\"{}\"", fmt::join(of, "\", \"")));
  const auto found = std::ranges::find(of, text);
  if (found == of.end())
    Fail(i, fmt::format("\"{}\"", Escaped(text, 40)),
         fmt::format("\"{}\"{}", fmt::join(of, "\", \""), DidYouMean(text, of)));
  return static_cast<size_t>(found - of.begin());
}

// ---- Functions -----------------------------------------------------------------------------------------------------

std::optional<ModelFunction> FindModelFunction(std::string_view name) {
  const auto* const found = std::ranges::find(kTable, name, &Entry::name);
  if (found != std::end(kTable))
    return ModelFunction{found->name, std::string(found->signature), found->naming, found->build};
  const OpDef* const op = FindOp(name);
  if (op == nullptr || !TakesNodesAlone(*op)) return std::nullopt;
  static constexpr std::string_view kInputs[] = {"a", "a, b", "a, b, c"};
  return ModelFunction{*op->name, std::string(kInputs[static_cast<size_t>(*op->arity) - 1]), kAfterwards,
                       [op](const Arguments& a) { return BuildOp(*op, a); }};
}

std::vector<std::string_view> ModelFunctionNames() {
  std::vector<std::string_view> names;
  for (const Entry& entry : kTable) names.push_back(entry.name);
  for (const OpDef* op : AllOps()) {
    if (std::ranges::find(names, *op->name) == names.end() && TakesNodesAlone(*op)) names.push_back(*op->name);
  }
  return names;
}

}  // namespace weft
