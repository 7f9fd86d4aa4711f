// A pass, as those of the compiler are.
#include "weft/exporters/fold_normalization.h"

#include <algorithm>
#include <cmath>

#include "weft/exporters/layer_patterns.h"
#include "weft/exporters/stored_value.h"
#include "weft/graph/compile/rewriter.h"
#include "weft/graph/op.h"
#include "weft/graph/scope.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

struct NormalizedLayer {
  AffineLayer affine;
  NormalizationLayer normalization;
};

std::optional<NormalizedLayer> NormalizedLayerAt(const InferencePart& part, NodeId id) {
  const auto normalization = NormalizationLayerAt(part, id);
  if (!normalization || !IsReadOnce(part, normalization->x)) return std::nullopt;
  const auto affine = AffineLayerAt(part, normalization->x);
  if (!affine) return std::nullopt;
  const auto is_known = [&](NodeId weight) {
    const OpDef& op = part.graph.op(weight);
    return op.is_source(SourceKind::kVariable) || op.is_source(SourceKind::kConstant);
  };
  if (!std::ranges::all_of(
          std::initializer_list<NodeId>{affine->w, affine->bias, normalization->gamma, normalization->beta,
                                        normalization->mean, normalization->variance},
          is_known)) {
    return std::nullopt;
  }
  return NormalizedLayer{.affine = *affine, .normalization = *normalization};
}

// What stands for the layer, in its scope.
Node Folded(const NormalizedLayer& layer, Node x, NodeId id, const VariableStore& variables) {
  Graph& graph = x.graph();
  const auto [affine, normalization] = layer;
  const auto value = [&](NodeId weight) { return StoredValue(graph, weight, variables).Cast(DType::kFloat64); };
  Tensor w = value(affine.w), b(DType::kFloat64, graph.type(normalization.beta).shape);
  const Tensor bias = value(affine.bias), gamma = value(normalization.gamma), beta = value(normalization.beta),
               mean = value(normalization.mean), variance = value(normalization.variance);
  const auto units = static_cast<size_t>(b.size()), depth = static_cast<size_t>(w.size()) / std::max<size_t>(1, units);
  for (size_t i = 0; i < units; ++i) {
    const double scale = gamma.values<double>()[i] / std::sqrt(variance.values<double>()[i] + normalization.epsilon);
    const double before = bias.values<double>()[bias.size() == 1 ? 0 : i];
    b.values<double>()[i] = (before - mean.values<double>()[i]) * scale + beta.values<double>()[i];
    for (size_t k = 0; k < depth; ++k) w.values<double>()[affine.transpose_w ? i * depth + k : k * units + i] *= scale;
  }
  const DType dtype = graph.type(id).dtype;
  const Scope scope = Scope::Absolute(graph, graph.name(id));
  const Node product = MatMul(x, Constant(graph, w.Cast(dtype)),
                              {.transpose_left = affine.transpose_x, .transpose_right = affine.transpose_w});
  return product + Constant(graph, b.Cast(dtype));
}

}  // namespace

InferencePart FoldBatchNormalization(InferencePart part, const VariableStore& variables) {
  std::vector<std::optional<NormalizedLayer>> layers;
  for (uint32_t i = 0; i < part.graph.size(); ++i) layers.push_back(NormalizedLayerAt(part, NodeId{i}));

  CompileGraph state = {.graph = std::move(part.graph), .fetches = part.inputs};
  state.fetches.insert(state.fetches.end(), part.outputs.begin(), part.outputs.end());
  Rewriter rewriter(std::move(state), "FoldBatchNormalization");
  for (uint32_t i = 0; i < rewriter.size(); ++i) {
    const NodeId id = rewriter.Visit(NodeId{i}).id();
    if (layers[i]) rewriter.Replace(id, Folded(*layers[i], rewriter.Now(layers[i]->affine.x), id, variables));
  }
  state = std::move(rewriter).Finish();
  const auto outputs = state.fetches.begin() + std::ssize(part.inputs);
  return {.graph = std::move(state.graph), .inputs = part.inputs, .outputs = {outputs, state.fetches.end()}};
}

}  // namespace weft
