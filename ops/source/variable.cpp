// Variable: state that lives in a VariableStore under the node's name; attributes dtype, shape, trainable.
#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"

namespace weft {

constinit const OpDef kVariable = {
    .name = "Variable",
    .arity = 0,
    .type = [](const TypeContext& context) -> TensorType {
      const Attributes& attributes = context.attributes();
      const TensorType type = {.dtype = attributes.Get<DType>("dtype"), .shape = attributes.Get<Shape>("shape")};
      context.Require(type.shape.is_bound(),
                      "got shape " + ToString(type.shape) + ", expected one without the batch size N");
      attributes.Get<bool>("trainable");  // throws if it is missing
      return type;
    },
    // What a test of the graph alone reads: zeros, the store being empty.
    .formula = [](std::span<const Tensor>, const Attributes&,
                  const TensorType& result) { return Tensor(DType::kFloat64, result.shape); },
    .gradient = [](const GradientContext&) -> Contributions { return {}; },
    .lower = Source{SourceKind::kVariable},
    .samples =
        [] {
          const auto sample = [](DType dtype, const Shape& shape, bool trainable) {
            return Sample{.attributes = {{"dtype", dtype}, {"shape", shape}, {"trainable", trainable}}};
          };
          return SampleSet{.samples = {sample(DType::kFloat32, {}, false), sample(DType::kFloat64, {2, 3}, true),
                                       sample(DType::kFloat32, {0, 2}, true), sample(DType::kInt64, {3}, false)}};
        },
};

Node Variable(std::string_view name, Node initial_value, const VariableOptions& options) {
  Graph& graph = initial_value.graph();
  const TensorType& type = initial_value.type();
  const Attributes attributes = {{"dtype", type.dtype}, {"shape", type.shape}, {"trainable", options.trainable}};
  const Node variable = graph.AddNamed(name, kVariable, {}, attributes);
  graph.AddInitialValue(variable, initial_value);
  return variable;
}

bool IsTrainable(Node variable) {
  return variable.op().is_source(SourceKind::kVariable) && variable.attributes().Get<bool>("trainable");
}

}  // namespace weft
