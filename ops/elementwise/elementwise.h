// What the elementwise ops share: the shape rule, and how a binary builder stretches its operands.
#pragma once

#include "weft/graph/op.h"
#include "weft/ops/ops.h"

namespace weft {

// All operands floating-point, of one dtype and one shape; the result is like them, of a plain kind.
TensorType ElementwiseType(const TypeContext& context);

// Appends `op` over operands stretched to their common shape by explicit BroadcastTo nodes.
// Throws GraphError naming op and shapes if there is no common shape.
Node Elementwise(const OpDef& op, std::vector<Node> operands, Attributes attributes = {});

// Samples that every elementwise op of `arity` operands shares: some shapes, one domain an operand.
SampleSet ElementwiseSamples(size_t arity, std::vector<Domain> domains, Attributes attributes = {});

}  // namespace weft
