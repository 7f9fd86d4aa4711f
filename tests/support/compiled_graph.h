// A compiled program of some fetches, run again and again with other values.
#pragma once

#include <map>
#include <vector>

#include "weft/graph/runtime/session.h"

namespace weft {

class CompiledGraph {
 public:
  CompiledGraph(Graph& graph, std::vector<Node> fetches, const SessionOptions& options = {.threads = 1});

  // Values of variables go to the store; those of placeholders are fed if the program reads them; others are left
  // alone.
  std::vector<Tensor> Run(const std::map<NodeId, Tensor>& values);

 private:
  VariableStore store_;
  Session session_;
  std::vector<Node> fetches_;
  PreparedRun run_;
};

}  // namespace weft
