// What the elementwise ops share: the shape rule, how a builder stretches operands, samples, and uniform constants.
#pragma once

#include <optional>
#include <vector>

#include "weft/graph/op.h"
#include "weft/ops/ops.h"

namespace weft {

// All operands floating-point, of one dtype and one shape; the result is like them, of a plain kind.
TensorType ElementwiseType(const TypeContext& context);

// Appends `op` over operands stretched to their common shape by explicit BroadcastTo nodes.
// Throws GraphError naming op and shapes if there is no common shape.
Node Elementwise(const OpDef& op, std::vector<Node> operands, Attributes attributes = {});

// Samples that every elementwise op of `arity` operands shares: some shapes for each choice of attributes, one domain
// an operand. `ulp` is the largest distance of an f32 result from the rounded formula; 0 is correctly rounded.
SampleSet ElementwiseSamples(size_t arity, const std::vector<Domain>& domains, double ulp = 0,
                             const std::vector<Attributes>& attributes = {{}});
// The samples of both, under the larger bound.
SampleSet Joined(SampleSet first, const SampleSet& second);

// The number that every element of `node` is, if that can be told: a floating-point constant, also behind BroadcastTo.
// Elements are compared by bits, so −0 beside 0 is not uniform.
std::optional<double> UniformValue(Node node);

}  // namespace weft
