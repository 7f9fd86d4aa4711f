// RandomState: (seed, run number) as i64[2], the operand of every random op, fed by the session. One a graph, at its
// root.
#include "weft/graph/scope.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

constexpr std::string_view kName = "RandomState";

}  // namespace

constinit const OpDef kRandomState = {
    .name = kName,
    .arity = 0,
    .type = [](const TypeContext&) -> TensorType { return {.dtype = DType::kInt64, .shape = {2}}; },
    // The state that a session starts with: seed 1, run 0.
    .formula =
        [](std::span<const Tensor>, const Attributes&, const TensorType&) {
          return Tensor::Of<double>({2}, {1, 0});
        },
    .gradient = [](const GradientContext&) -> Contributions { return {}; },
    .lower = Source{SourceKind::kRandomState},
    .samples = [] { return SampleSet{.samples = {{}}}; },
};

Node RandomState(Graph& graph) {
  const NodeId known = graph.FindId(kName);
  if (known != kNoNode && graph.op(known).is_source(SourceKind::kRandomState)) return graph.node(known);
  const Scope root = Scope::Absolute(graph, Path());
  return graph.AddNamed(kName, kRandomState, {});
}

}  // namespace weft
