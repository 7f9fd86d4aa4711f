// How large a model is, before anything of it exists.
#pragma once

#include <string>
#include <string_view>

#include "weft/models/variational_autoencoder.h"

namespace weft {

enum class Memory { kWeights, kTraining };

// Bytes of all variables in f32; for training also those of the gradients and of two slots a weight. A floating-point
// number, as it must not overflow for any config.
double ModelBytes(const VaeConfig& config, Memory memory);

// The same of the variables that a graph has.
double ModelBytes(const Graph& graph, Memory memory);

// "1.2 GB"
std::string ByteText(double bytes);

// Throws ResourceError if this process cannot have so many bytes; `what` needs them.
void RequireBytes(double needed, std::string_view what);

}  // namespace weft
