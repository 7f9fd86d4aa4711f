// A part of a graph as JavaScript: one script that needs no other, for a page that works without a network.
//
//   InferencePart part = InferencePartOf(graph, {z}, {decoder.mean});
//   std::string script = ToJavaScript(part, variables, "decode");
//
//   decode({"Z": new Float32Array([0.5, -1])}, 1)["Decoder/Mean"]   // Float32Array of 784 numbers
#pragma once

#include <string>
#include <string_view>

#include "weft/exporters/inference_part.h"
#include "weft/graph/runtime/variable_store.h"

namespace weft {

// A script that defines `const NAME = (inputs, n) => outputs`. `n` is N; inputs and outputs are objects node name →
// typed array in row-major order: Float32Array, Float64Array, BigInt64Array for i64, Uint8Array of 0 and 1 for bool.
// Values of variables lie within as base64 of little-endian numbers. What does not depend on the inputs is computed
// once. Sums are taken in f64, results are rounded to their type. The text is ASCII and may stand in a <script>.
//
// Throws ExportError for a `name` that is no identifier, names of nodes that are no UTF-8, and naming a node that
// cannot be said; GraphError for a variable without a value.
std::string ToJavaScript(const InferencePart& part, const VariableStore& variables, std::string_view name);

}  // namespace weft
