// Prints the graph of the variational autoencoder for Graphviz: dump_graph | dot -Tsvg > graph.svg
#include <cstdio>

#include "weft/graph/views/dot.h"
#include "weft/models/variational_autoencoder.h"

int main() {
  using namespace weft;
  Graph graph;
  const VariationalAutoencoder vae = BuildVariationalAutoencoder(graph);
  const std::string dot = ToDot(graph, {.targets = {vae.loss.total.id(), vae.decoder.mean.id()}});
  return std::fputs(dot.c_str(), stdout) < 0 ? 1 : 0;
}
