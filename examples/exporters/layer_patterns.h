// Layers, as they are found again in the nodes that they became.
#pragma once

#include <optional>

#include "weft/exporters/inference_part.h"

namespace weft {

// op(x)·op(w) + bias, stretched
struct AffineLayer {
  NodeId x, w, bias;
  bool transpose_x, transpose_w;
};

// (x − mean)·gamma/√(variance + epsilon) + beta, x [N, features], all others [features]
struct NormalizationLayer {
  NodeId x, gamma, beta, mean, variance;
  double epsilon;
};

// The layer whose result is the node `id`. Nodes within it are read by nothing else, and are no outputs.
std::optional<AffineLayer> AffineLayerAt(const InferencePart& part, NodeId id);
std::optional<NormalizationLayer> NormalizationLayerAt(const InferencePart& part, NodeId id);

// Read by one node, and no output.
bool IsReadOnce(const InferencePart& part, NodeId id);

}  // namespace weft
