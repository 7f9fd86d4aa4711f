// Fits y = 3·x₀ − 2·x₁ + 1 by gradient descent: the library in thirty lines.
#include <cstdio>
#include <exception>

#include "weft/graph/runtime/session.h"
#include "weft/models/layers.h"
#include "weft/models/training/optimizers.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"

int main() try {
  using namespace weft;

  // What is computed: nodes with names, N samples at a time.
  Graph graph;
  Node x = Placeholder(graph, "X", {kBatch, 2});
  Node y = Placeholder(graph, "Y", {kBatch, 1});
  Node prediction = FullyConnected("Line", x, 1);
  Node loss = ReduceMean(Square(prediction - y));
  Minimize(loss, SGD{.learning_rate = 0.1});  // gradients and updates are nodes like all others

  // The numbers: weights by name, outside of the graph.
  VariableStore variables;
  Session session(graph, variables);
  Initialize(graph, variables, {.seed = 1});

  const Tensor inputs = Tensor::Of<float>({4, 2}, {0, 0, 1, 0, 0, 1, 1, 1});
  const Tensor targets = Tensor::Of<float>({4, 1}, {1, 4, -1, 2});
  for (int step = 0; step < 300; ++step) session.Step({{x, inputs}, {y, targets}}, {loss});

  const auto w = variables.Get("Line/W").values<float>(), b = variables.Get("Line/b").values<float>();
  const Tensor error = session.Run({{x, inputs}, {y, targets}}, loss);
  std::printf("y = %.3f x0 %+.3f x1 %+.3f, mean square error %.1e\n", w[0], w[1], b[0], error.values<float>()[0]);
} catch (const std::exception& error) {
  std::fprintf(stderr, "linear_regression: %s\n", error.what());
  return 1;
}
