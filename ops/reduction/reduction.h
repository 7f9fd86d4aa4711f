// What the reductions share: shape rule, formula in plain loops, and how axes become runs of neighbouring axes.
#pragma once

#include <type_traits>

#include "weft/graph/op.h"
#include "weft/ops/ops.h"

namespace weft {

// attributes axis = the first axis of the run, count = how many; the run is removed from the shape.
TensorType ReductionType(const TypeContext& context);

// The formula of a reduction: `join` over the run, starting from `identity`, in order.
template <class Number>
Values<Number> ReduceInOrder(const Values<Number>& x, const Attributes& attributes, double identity,
                             std::type_identity_t<Number (*)(Number, Number)> join);

// Appends `op` once for each run of neighbouring axes, last run first.
Node Reduce(const OpDef& op, Node x, const Axes& axes);

// `reduced` (the type of a reduction's result) stretched back over the removed axes, to the shape of `x`.
Node BroadcastOver(Node reduced, Node x, const Attributes& attributes);

Axes AllAxes(Node x);
SampleSet ReductionSamples();

}  // namespace weft
