// ByMode(training, inference): one graph for two programs. Bind keeps the operand of its mode, so there is no branch at
// run time.
#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"

namespace weft {

constinit const OpDef kByMode = {
    .name = "ByMode",
    .arity = 2,
    .type = [](const TypeContext& context) -> TensorType {
      TensorType type = context.operand(0);
      const TensorType& inference = context.operand(1);
      context.Require(type.dtype == inference.dtype, "operands of different element types");
      context.Require(type.shape == inference.shape, "operands of different shapes");
      if (type.kind != inference.kind) type.kind = ValueKind::kPlain;
      return type;
    },
    // Of a training program; readers of another mode take operand 1.
    .formula = [](auto x, const Attributes&, const TensorType&) { return x[0]; },
    // The operand that is not kept has no part in the result.
    .gradient = [](const GradientContext& c) -> Contributions {
      const Node g = c.output_gradient();
      const Node zero = BroadcastTo(Constant(g.graph(), 0.0, g.dtype()), g.shape());
      return {c.Needs(0) ? std::optional(ByMode(g, zero)) : std::nullopt,
              c.Needs(1) ? std::optional(ByMode(zero, g)) : std::nullopt};
    },
    .lower = View{},  // never reached after Bind
    .samples =
        [] {
          return SampleSet{
              .samples = {{.operands = {{}, {}}}, {.operands = {{3, 5}, {3, 5}}}, {.operands = {{0, 2}, {0, 2}}}}};
        },
    .traits = {.chooses_by_mode = true},
};

Node ByMode(Node training, Node inference) { return training.graph().Add(kByMode, {training, inference}); }

}  // namespace weft
