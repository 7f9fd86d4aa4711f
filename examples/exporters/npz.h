// The npz format of NumPy: named arrays, a zip archive of npy files.
//
//   WriteWhole("weights.npz", ToNpz(variables));   // numpy.load("weights.npz")["Encoder/Mean/W"]
//   std::map<std::string, Tensor> arrays = ReadNpz("state_dict.npz");
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "weft/graph/runtime/variable_store.h"

namespace weft {

// Array by name, without the ".npy" that the archive holds.
using NamedTensors = std::map<std::string, Tensor>;

// The bytes of a file with these arrays, uncompressed, in the order of names: a function of the values alone, no time
// stands in it. Throws ResourceError above 4 GiB, or above 65,534 arrays.
std::string ToNpz(const NamedTensors& arrays);

// All variables within `scope` under their paths, trained or not. Holds the store's mutex shared. Throws GraphError
// naming a variable without a value, or for a scope without variables; ResourceError as above.
std::string ToNpz(const VariableStore& store, const Path& scope = {});

// Of numpy.savez and numpy.savez_compressed; types as ParseNpy takes them. Checksums are compared, and no more memory
// is asked for than the bytes of the file can stand for. Throws CheckpointError "npz: FILE: got X, expected Y" for
// anything else, std::system_error if the file cannot be read.
NamedTensors ReadNpz(const std::filesystem::path& path);

}  // namespace weft
