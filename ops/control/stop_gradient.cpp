// StopGradient(x) = x, a constant to everything that is differentiated.
#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"

namespace weft {

constinit const OpDef kStopGradient = {
    .name = "StopGradient",
    .arity = 1,
    .type = [](const TypeContext& context) -> TensorType { return context.operand(0); },
    .formula = [](std::span<const Tensor> x, const Attributes&, const TensorType&) { return x[0]; },
    .gradient = [](const GradientContext&) -> Contributions { return {std::nullopt}; },
    .lower = View{},
    .samples =
        [] {
          return SampleSet{.samples = {{.operands = {{}}}, {.operands = {{3, 5}}}, {.operands = {{0, 2}}}},
                           .times_differentiable = 0};
        },
    .simplify = [](Node node) -> std::optional<Node> { return node.operand(0); },
};

Node StopGradient(Node x) { return x.graph().Add(kStopGradient, {x}); }

}  // namespace weft
