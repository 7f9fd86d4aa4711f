// What the random ops share. Operand 0 is the RandomState; attributes are dtype, shape (which may hold N), and stream,
// the whole name that the node was given. Value = f(seed, stream, run, row-major index): see philox.h.
#pragma once

#include "weft/graph/op.h"
#include "weft/ops/ops.h"
#include "weft/ops/random/philox.h"

namespace weft {

TensorType RandomType(const TypeContext& context);

// Appends `op` as `name` in the current scope: the name is the stream.
Node AddRandom(const OpDef& op, Graph& graph, std::string_view name, const Shape& shape, DType dtype);

// Leaves the step that makes all elements; `run` gets numbers = {elements, StreamHash}.
void LowerRandom(LoweringContext& context, StepFunction run, double cycles_per_element);

// The two words of one element, for any attempt.
struct ElementDraw {
  uint64_t key, run, element;
  RandomWords operator()(uint32_t attempt) const { return WordsOf(key, run, element, attempt); }
};

// The formula of a random op: `value` for each element in order. Of seed and run it sees 53 bits, as they come as f64.
Tensor RandomInOrder(const Tensor& state, const Attributes& attributes, const TensorType& result,
                     double (*value)(const ElementDraw&, DType));

// NormalOf of the same words by the library's functions: the formula that the kernels follow in vectors of their own.
double NormalInOrder(const RandomWords& words);

SampleSet RandomSamples();

}  // namespace weft
