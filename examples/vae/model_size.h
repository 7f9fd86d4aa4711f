// How large a model is, before anything of it exists.
#pragma once

#include "weft/models/variational_autoencoder.h"

namespace weft {

enum class Memory { kWeights, kTraining };

// Bytes of all variables in f32; for training also those of the gradients and of two slots a weight. A floating-point
// number, as it must not overflow for any config.
double ModelBytes(const VaeConfig& config, Memory memory);

// "1.2 GB"
std::string ByteText(double bytes);

// Throws ResourceError if this process cannot have so many bytes.
void RequireMemory(const VaeConfig& config, Memory memory);

}  // namespace weft
