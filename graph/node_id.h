// NodeId: the number of a node within its graph, from 0 on.
#pragma once

#include <cstdint>

namespace weft {

enum class NodeId : uint32_t {};
inline constexpr NodeId kNoNode{UINT32_MAX};
constexpr uint32_t Index(NodeId id) { return static_cast<uint32_t>(id); }  // its place in the graph

}  // namespace weft
