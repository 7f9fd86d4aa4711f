// Prune: what neither a fetch nor an update needs is left behind.
#include "weft/graph/algorithms.h"
#include "weft/graph/compile/passes.h"
#include "weft/graph/compile/rebuilder.h"

namespace weft {

CompileGraph Prune(const CompileGraph& from) {
  const std::vector<bool> needed = Ancestors(from.graph, Wanted(from.fetches, from.updates));
  Rebuilder rebuilder(from.graph, "Prune");
  for (uint32_t i = 0; i < from.graph.size(); ++i) {
    if (needed[i]) rebuilder.Copy(NodeId{i});
  }
  return std::move(rebuilder).Finish(from.fetches, from.updates);
}

}  // namespace weft
