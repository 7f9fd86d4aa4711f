// The only file that knows the order of the rooms.
#include "weft/graph/compile/compile.h"

#include <utility>

#include "weft/graph/compile/chain.h"
#include "weft/graph/compile/emit.h"
#include "weft/graph/compile/layout.h"
#include "weft/graph/compile/memory_plan.h"
#include "weft/graph/compile/partition.h"
#include "weft/graph/compile/passes.h"
#include "weft/graph/compile/schedule.h"
#include "weft/graph/compile/strips.h"

namespace weft {

std::shared_ptr<const Program> Compile(const Graph& graph, const CompileOptions& options) {
  const auto show = [&](std::string_view pass, const CompileGraph& state) {
    if (options.on_pass) options.on_pass(pass, state.graph);
  };
  // Guards travel behind the fetches.
  std::vector<NodeId> fetches = options.fetches;
  fetches.insert(fetches.end(), options.guards.begin(), options.guards.end());
  const auto updates = options.updates ? graph.updates() : std::span(options.assignments);

  CompileGraph state = Bind(graph, fetches, updates, options.batch, options.mode, options.fed);
  show("bind", state);
  constexpr std::pair<std::string_view, CompileGraph (*)(CompileGraph)> kPasses[] = {
      {"fold", Fold}, {"deduplicate", Deduplicate}, {"simplify", Simplify}};
  for (const auto& [name, pass] : kPasses) {
    state = pass(std::move(state));
    show(name, state);
  }

  EmitRequest request{.fetches = state.fetches, .updates = state.updates, .guards = {}};
  request.guards.assign(state.fetches.begin() + static_cast<std::ptrdiff_t>(options.fetches.size()),
                        state.fetches.end());
  request.fetches.resize(options.fetches.size());
  std::vector<NodeId> wanted = state.fetches;
  for (const auto& [variable, next] : state.updates) wanted.push_back(next);

  PartitionResult partition = Partition(state.graph, wanted, options.fuse);
  if (options.fuse) AssignLayouts(state.graph, state.updates, partition);
  Program program = Emit(std::move(state.graph), partition, request, options.mode);
  if (options.fuse) program = PlaceStrips(FormChains(std::move(program)));
  return std::make_shared<const Program>(PlanSchedule(PlanMemory(std::move(program), options.reuse_memory)));
}

}  // namespace weft
