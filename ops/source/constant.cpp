// Constant: a value that is part of the graph, attribute "value".
#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

using SharedTensor = std::shared_ptr<const Tensor>;

}  // namespace

constinit const OpDef kConstant = {
    .name = "Constant",
    .arity = 0,
    .type = [](const TypeContext& context) -> TensorType {
      const auto& value = context.attributes().Get<SharedTensor>("value");
      context.Require(value != nullptr, "got no value");
      return value->type();
    },
    .formula = [](std::span<const Tensor>, const Attributes& attributes,
                  const TensorType&) { return attributes.Get<SharedTensor>("value")->Cast(DType::kFloat64); },
    .gradient = [](const GradientContext&) -> Contributions { return {}; },
    .lower = Source{SourceKind::kConstant},
    .samples =
        [] {
          const auto sample = [](Tensor value) {
            return Sample{.attributes = {{"value", std::make_shared<const Tensor>(std::move(value))}}};
          };
          return SampleSet{
              .samples = {sample(Tensor::Scalar(2.5)), sample(Tensor::Of<float>({2, 3}, {0, -1, 2, -3, 4, 0.5f})),
                          sample(Tensor::Of<int64_t>({2}, {-7, 1})), sample(Tensor::Of<bool>({3}, {true, false, true})),
                          sample(Tensor(DType::kFloat32, {0, 4}))}};
        },
};

Node Constant(Graph& graph, double value, DType dtype) { return Constant(graph, Tensor::Scalar(value).Cast(dtype)); }

Node Constant(Graph& graph, Tensor value) {
  return graph.Add(kConstant, {}, {{"value", std::make_shared<const Tensor>(std::move(value))}});
}

}  // namespace weft
