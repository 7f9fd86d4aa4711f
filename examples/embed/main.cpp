// Draws, in letters, what the decoder of a checkpoint makes of a point in the plane of codes.
//
//   draw CHECKPOINT [Z0 Z1]
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "weft/graph/runtime/checkpoint.h"
#include "weft/graph/runtime/session.h"
#include "weft/models/variational_autoencoder.h"
#include "weft/ops/ops.h"

int main(int argc, char** argv) try {
  using namespace weft;
  if (argc != 2 && argc != 4) {
    std::fprintf(stderr, "usage: draw CHECKPOINT [Z0 Z1]\n");
    return 2;
  }

  // The decoder alone: its variables have the names that they had when the model was trained.
  Graph graph;
  Node z = Placeholder(graph, "Z", {kBatch, 2});
  Node picture = BuildDecoder(z).mean;
  VariableStore variables(graph);
  Restore(argv[1], {.scope = "Decoder"}, variables);

  Session session(graph, variables);
  Tensor point(DType::kFloat32, {1, 2});  // (0, 0)
  for (int i = 2; i < argc; ++i) point.values<float>()[static_cast<size_t>(i - 2)] = std::strtof(argv[i], nullptr);
  const Tensor pixels = session.Run({{z, point}}, picture);

  for (size_t row = 0; row < 28; ++row) {
    for (size_t column = 0; column < 28; ++column) {
      const float ink = pixels.values<float>()[28 * row + column];  // 0 … 1
      std::putchar(" .:-=+*#%@"[static_cast<int>(ink * 9.99f)]);
    }
    std::putchar('\n');
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "draw: %s\n", error.what());
  return 1;
}
