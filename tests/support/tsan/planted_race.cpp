// A race in a kernel, which ThreadSanitizer must find, or what it says of everything else means nothing: the blocks of
// a step add to one number without taking turns.
#include <cstdio>

#include "weft/graph/op.h"
#include "weft/graph/runtime/session.h"
#include "weft/tests/support/toy_ops.h"

namespace weft {
namespace {

long shared_by_blocks = 0;

constexpr OpDef kRacing = ToyOp("Racing", 1, InSteps{[](LoweringContext& context) {
                                  context.steps.push_back({.run = [](const StepArguments&, uint32_t begin,
                                                                     uint32_t end) { shared_by_blocks += end - begin; },
                                                           .reads = {OperandBuffer(0)},
                                                           .writes = {StepBuffer::kResult},
                                                           .blocks = 64,
                                                           .block_cycles = 1e6});
                                }},
                                ToyElementwiseType);

}  // namespace
}  // namespace weft

int main() {
  using namespace weft;
  Graph graph;
  const Node x = ToyInput(graph, "X", {8});
  const Node y = graph.Add(kRacing, {x});
  VariableStore store;
  Session session(graph, store, {.threads = 4});
  const Tensor input(DType::kFloat32, {8});
  for (int i = 0; i < 20; ++i) session.Run({{x, input}}, y);
  std::printf("%ld\n", shared_by_blocks);
}
