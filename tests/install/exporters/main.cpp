// Writes a model of one layer, without and with values, in the formats of weft::exporters.
#include <cstdio>

#include <weft/exporters/inference_part.h>
#include <weft/exporters/npz.h>
#include <weft/exporters/onnx.h>
#include <weft/graph/runtime/session.h>
#include <weft/models/layers.h>
#include <weft/ops/ops.h>

int main() {
  using namespace weft;
  Graph graph;
  Node x = Placeholder(graph, "X", {kBatch, 3});
  Node y = FullyConnected("Y", x, 2);
  VariableStore variables(graph);
  Initialize(graph, variables);
  const size_t onnx = ToOnnx(InferencePartOf(graph, {x}, {y}), variables).size();
  const size_t npz = ToNpz(variables, {}).size();
  std::printf("onnx %zu npz %zu\n", onnx, npz);
  return onnx > 100 && npz > 100 ? 0 : 1;
}
