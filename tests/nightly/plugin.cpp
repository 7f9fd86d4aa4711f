// A plug-in of some host: weft within a module that is loaded and unloaded again.
#include "weft/autodiff/gradients.h"
#include "weft/graph/runtime/session.h"
#include "weft/ops/operators.h"

// Trains a step on two threads; returns 0 if all is well.
extern "C" int RunPlugin() {
  using namespace weft;
  try {
    Graph graph;
    const Node x = Placeholder(graph, "X", {kBatch, 64});
    const Node w = Variable("W", 0.1 * RandomNormal(graph, "W/Initial", {64, 256}));
    const Node loss = ReduceMean(Square(Tanh(MatMul(x, w))));
    graph.AddUpdate(w, w - 0.1 * Gradients(loss, {w})[0]);
    VariableStore store(graph);
    Initialize(graph, store, {.threads = 2});
    Session session(graph, store, {.threads = 2});
    const Tensor input(DType::kFloat32, {256, 64});
    return session.Step({{x, input}}, {loss})[0].size() == 1 ? 0 : 1;
  } catch (...) {
    return 2;
  }
}
