// Batch normalisation as a part of the layer before it.
#pragma once

#include "weft/exporters/inference_part.h"
#include "weft/graph/runtime/variable_store.h"

namespace weft {

// The part with every affine layer that only a batch normalisation reads written as one affine layer of constants:
//
//   (x·W + b − μ)·γ/√(σ² + ε) + β  =  x·W′ + b′      W′ = W·γ/√(σ² + ε), b′ = (b − μ)·γ/√(σ² + ε) + β
//
// computed in f64 and rounded to the type of W. The new layer has the name of the normalisation. Others stay as they
// are, and so does a layer of which something but variables and constants is a weight. Throws GraphError for a variable
// without a value.
InferencePart FoldBatchNormalization(InferencePart part, const VariableStore& variables);

}  // namespace weft
