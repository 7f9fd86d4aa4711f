// Reaches into a Graph, to make graphs that its functions refuse: Verify must find what no builder can do.
//
//   Inside(Nodes{}, graph)[2].operands[0] = NodeId{7};
#pragma once

#include "weft/graph/graph.h"

namespace weft {

struct Nodes {};
struct NamesInside {};
struct AliasesInside {};
struct UpdatesInside {};
struct InitialValuesInside {};
struct CollectionsInside {};

auto& Inside(Nodes, Graph& graph);
auto& Inside(NamesInside, Graph& graph);
auto& Inside(AliasesInside, Graph& graph);
auto& Inside(UpdatesInside, Graph& graph);
auto& Inside(InitialValuesInside, Graph& graph);
auto& Inside(CollectionsInside, Graph& graph);

// An explicit instantiation may name private members; its friend function then returns them.
template <class Part, auto kMember>
struct Opened {
  friend auto& Inside(Part, Graph& graph) { return graph.*kMember; }
};
template struct Opened<Nodes, &Graph::nodes_>;
template struct Opened<NamesInside, &Graph::names_>;
template struct Opened<AliasesInside, &Graph::aliases_>;
template struct Opened<UpdatesInside, &Graph::updates_>;
template struct Opened<InitialValuesInside, &Graph::initial_values_>;
template struct Opened<CollectionsInside, &Graph::collections_>;

}  // namespace weft
