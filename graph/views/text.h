// A graph as text that can be read, compared, edited and parsed back.
//
//   weft graph 1
//   InputData/X = Placeholder() {dtype=f32 shape=[N, 784]} : f32[N, 784]
//   Encoder/Sum = ReduceSum(InputData/X) {axis=1 count=1} : f32[N]
//   alias Encoder/S = Encoder/Sum
//   initial Encoder/W <- Encoder/W/Initial
//   update Encoder/W <- Training/W
//   collection layer_tensor/Encoder : Encoder/Sum, InputData/X
//
// One line a node, in the order of ids. A name of other characters than A–Z a–z 0–9 _ . / - is quoted, with \" \\ \xNN
// in it. Lines that are empty or begin with # are skipped by the reader.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "weft/graph/graph.h"

namespace weft {

std::string ToText(const Graph& graph);  // the form above, which ParseText reads

// The op of that name, or nullptr.
using OpLookup = const OpDef* (*)(std::string_view name);

inline constexpr size_t kMaxTextLine = size_t{64} << 20;  // bytes; a constant of some million numbers

// The graph that `text` describes: ToText of it is the canonical form of `text`. All its names are stated ones.
// Throws GraphError with line and column for text that is none, an unknown op, a type that is not the one that the op's
// rule derives, and whatever Graph refuses; ResourceError beyond the limits.
Graph ParseText(std::string_view text, OpLookup lookup);

}  // namespace weft
