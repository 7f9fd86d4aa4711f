// Random graphs: many small shapes, broadcasts, views, reductions, products, and updates, for properties that must hold
// of any graph whatever the planner does with it.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "weft/graph/graph.h"
#include "weft/graph/tensor.h"

namespace weft {

struct RandomGraph {
  std::vector<Node> placeholders;
  std::vector<Node> variables;
  std::vector<Node> fetches;
};

struct RandomGraphOptions {
  size_t nodes = 25;
  bool updates = true;
  DType dtype = DType::kFloat64;
  int64_t scale = 1;           // of the lengths of axes: larger ones need several blocks
  bool for_gradients = false;  // also constants, StopGradient, an operand that is used twice, and more smooth ops
};

// Appends a random graph whose values stay within about ±10.
RandomGraph AddRandomGraph(Graph& graph, std::mt19937_64& random, const RandomGraphOptions& options = {});

// Values in ±2 for a placeholder or variable.
Tensor RandomTensor(DType dtype, const Shape& shape, std::mt19937_64& random);

}  // namespace weft
