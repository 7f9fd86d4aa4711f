// Which graphs a fuzzer runs: those that cost little.
#pragma once

#include <cstdint>
#include <variant>

#include "weft/graph/error.h"
#include "weft/graph/graph.h"
#include "weft/graph/op.h"

namespace weft {

// Whether a legal graph may be refused when it is bound: types for every N may have no meaning for one, [N, 3] as
// [2, 6] say; and a choice by mode hides the kinds of what it chooses from, a probability that is taken for logits.
inline bool MayBeRefusedWhenBound(const Graph& graph) {
  for (uint32_t i = 0; i < graph.size(); ++i) {
    if (graph.op(NodeId{i}).traits.chooses_by_mode) return true;
    if (!graph.type(NodeId{i}).shape.is_bound()) return true;
    for (const auto& [key, value] : graph.attributes(NodeId{i})) {
      if (const Shape* shape = std::get_if<Shape>(&value); shape != nullptr && !shape->is_bound()) return true;
    }
  }
  return false;
}

// Whether all nodes together, a scalar more for each, have at most `most` elements.
inline bool IsSmall(const Graph& graph, int64_t batch, int64_t most) {
  int64_t elements = 0;
  for (uint32_t i = 0; i < graph.size(); ++i) {
    try {
      elements += ElementCount(graph.type(NodeId{i}).shape.Bound(batch)) + 1;
    } catch (const ResourceError&) {
      return false;
    }
    if (elements > most) return false;
  }
  return true;
}

}  // namespace weft
