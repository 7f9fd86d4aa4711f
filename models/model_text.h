// A model as a text that needs no compiler: parameters, scopes, named nodes, layers, repetition. docs/model_files.md
// describes the language.
//
//   weft model 1
//   parameter hidden = 512
//   X = Placeholder([N, 784])
//   scope Encoder {
//     Mean = FullyConnected(Relu(FullyConnected(X, hidden)), 2)     # Encoder/Mean
//   }
//   role input = X
//
// The graph is the same as that of the C++ calls in the same order: its names are the interface, as ever.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "weft/graph/graph.h"

namespace weft {

inline constexpr size_t kMaxModelText = size_t{1} << 16;  // bytes

// By name: a number, true or false, or a text.
using ModelParameters = std::map<std::string, std::variant<double, bool, std::string>, std::less<>>;

struct ModelText {
  ModelParameters parameters;                      // all, with the values that they have
  std::map<std::string, Node, std::less<>> roles;  // nodes by what they are for
};

// Appends the model to `graph`. `parameters` take the place of defaults; `title` is what messages call the text. Throws
// GraphError with line and column for text that is no model, for whatever the builders refuse, and for a parameter that
// the model does not have or that is of another kind; ResourceError beyond the limits (docs/limits.md). The graph can
// then only be destroyed.
ModelText ParseModel(Graph& graph, std::string_view text, const ModelParameters& parameters = {},
                     std::string_view title = "model text");

// The parameters of a model and their defaults. Throws like ParseModel for text that is none.
ModelParameters ParametersOf(std::string_view text, std::string_view title = "model text");

}  // namespace weft
