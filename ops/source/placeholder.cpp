// Placeholder: a value that is fed to each run, attributes dtype, shape (which may hold N), and, where it need not be
// fed, default: every element of it.
#include <algorithm>

#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"

namespace weft {

constinit const OpDef kPlaceholder = {
    .name = "Placeholder",
    .arity = 0,
    .type = [](const TypeContext& context) -> TensorType {
      const Attributes& attributes = context.attributes();
      if (attributes.Find("default") != nullptr) attributes.Get<double>("default");  // throws for another type
      return {.dtype = attributes.Get<DType>("dtype"), .shape = attributes.Get<Shape>("shape")};
    },
    // What is read where nothing is fed: the default, or zeros in a test of the graph alone.
    .formula =
        [](std::span<const Tensor>, const Attributes& attributes, const TensorType& result) {
          Tensor value(DType::kFloat64, result.shape);
          if (attributes.Find("default") != nullptr) {
            std::ranges::fill(value.values<double>(), attributes.Get<double>("default"));
          }
          return value;
        },
    .gradient = [](const GradientContext&) -> Contributions { return {}; },
    .lower = Source{SourceKind::kPlaceholder},
    .samples =
        [] {
          return SampleSet{
              .samples = {{.attributes = {{"dtype", DType::kFloat32}, {"shape", Shape{}}}},
                          {.attributes = {{"dtype", DType::kFloat64}, {"shape", Shape{2, 3}}}},
                          {.attributes = {{"dtype", DType::kFloat32}, {"shape", Shape{5}}, {"default", 0.25}}},
                          {.attributes = {{"dtype", DType::kInt64}, {"shape", Shape{4, 1}}}},
                          {.attributes = {{"dtype", DType::kBool}, {"shape", Shape{0}}}}}};
        },
};

Node Placeholder(Graph& graph, std::string_view name, const Shape& shape, const PlaceholderOptions& options) {
  Attributes attributes = {{"dtype", options.dtype}, {"shape", shape}};
  if (options.default_value) attributes.Set("default", *options.default_value);
  return graph.AddNamed(name, kPlaceholder, {}, std::move(attributes));
}

}  // namespace weft
