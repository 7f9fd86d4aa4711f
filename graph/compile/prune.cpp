// Prune: what neither a fetch nor an update needs is left behind.
#include "weft/graph/compile/passes.h"
#include "weft/graph/compile/rewriter.h"

namespace weft {

CompileGraph Prune(CompileGraph state) { return Rewriter(std::move(state), "Prune").Finish(); }

}  // namespace weft
