// What the random ops share.
#include "weft/ops/random/random.h"

#include <cmath>
#include <numbers>

#include "weft/ops/element_blocks.h"

namespace weft {

TensorType RandomType(const TypeContext& context) {
  const TensorType& state = context.operand(0);
  context.Require(state.dtype == DType::kInt64 && state.shape == Shape{2}, "expected the RandomState, i64[2]");
  const Attributes& attributes = context.attributes();
  const TensorType type = {.dtype = attributes.Get<DType>("dtype"), .shape = attributes.Get<Shape>("shape")};
  context.Require(IsFloating(type.dtype), "expected a floating-point element type");
  attributes.Get<std::string>("stream");  // throws if it is missing
  return type;
}

Node AddRandom(const OpDef& op, Graph& graph, std::string_view name, const Shape& shape, DType dtype) {
  const Path stream = graph.scope() / Path(name);
  return graph.AddNamed(name, op, {RandomState(graph)}, {{"dtype", dtype}, {"shape", shape}, {"stream", stream.str()}});
}

void LowerRandom(LoweringContext& context, StepFunction run, double cycles_per_element) {
  const int64_t elements = ElementCount(context.result.shape);
  const uint64_t stream = StreamHash(context.attributes.Get<std::string>("stream"));
  context.steps.push_back({.run = run,
                           .reads = {OperandBuffer(0)},
                           .writes = {StepBuffer::kResult},
                           .numbers = {elements, static_cast<int64_t>(stream)},
                           .blocks = BlocksOfElements(elements),
                           .block_cycles = cycles_per_element * static_cast<double>(kElementsPerBlock)});
}

Tensor RandomInOrder(const Tensor& state, const Attributes& attributes, const TensorType& result,
                     double (*value)(const ElementDraw&, DType)) {
  const auto word = [&state](size_t i) {
    return static_cast<uint64_t>(static_cast<int64_t>(state.values<double>()[i]));
  };
  const uint64_t seed = word(0), run = word(1);
  const uint64_t key = RandomKey(seed, StreamHash(attributes.Get<std::string>("stream")));
  Tensor values(DType::kFloat64, result.shape);
  uint64_t element = 0;
  for (double& v : values.values<double>()) v = value({key, run, element++}, result.dtype);
  return values;
}

double NormalInOrder(const RandomWords& words) {
  const double u = static_cast<double>(words.first >> 12) * 0x1p-52 + 0x1p-53;
  const double place = static_cast<double>(words.second >> 12) * 0x1p-52 - 0.5 + 0x1p-53;
  const double x = place * std::numbers::pi / 2;
  const double along = (words.second & 1) != 0 ? std::sin(x) : std::cos(x);
  return std::sqrt(-2 * std::log(u)) * ((words.second & 2) != 0 ? -along : along);
}

SampleSet RandomSamples() {
  SampleSet set;
  for (DType dtype : {DType::kFloat32, DType::kFloat64}) {
    for (const Shape& shape : {Shape{}, Shape{3, 5}, Shape{2, 1, 129}, Shape{20000}, Shape{0, 2}}) {
      const Attributes attributes = {{"dtype", dtype}, {"shape", shape}, {"stream", std::string("Scope/Random")}};
      set.samples.push_back({.operands = {{2}}, .attributes = attributes, .domains = {{0, 1000}}});
    }
  }
  return set;
}

}  // namespace weft
