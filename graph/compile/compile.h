// Compile: a one-way street from a graph to a Program. Bind → Fold → Deduplicate → Simplify → Partition → MemoryPlan →
// Schedule; each room takes a value and returns a value.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "weft/graph/compile/program.h"

namespace weft {

struct CompileOptions {
  std::vector<NodeId> fetches = {};
  bool updates = false;                       // also compute the graph's updates
  std::vector<Graph::Pair> assignments = {};  // (variable, value) to be written instead of the graph's updates
  std::vector<NodeId> fed = {};               // nodes other than placeholders whose value is given
  std::vector<NodeId> guards = {};  // scalars that must be finite, else the run stops before a variable is written
  int64_t batch = -1;               // the value of N; -1 if the graph has none
  Mode mode = Mode::kInference;
  bool fuse = true;  // off: one step a node, for tests and traces
  bool reuse_memory = true;
  // Called with the name of each pass and the graph after it.
  std::function<void(std::string_view pass, const Graph&)> on_pass = nullptr;
};

// Throws GraphError (shapes that do not bind, a fetch of another graph), ResourceError (the arena would be too large).
std::shared_ptr<const Program> Compile(const Graph& graph, const CompileOptions& options);

}  // namespace weft
