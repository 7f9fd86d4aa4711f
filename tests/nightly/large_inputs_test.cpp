// Graphs at the limit of nodes.
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "weft/autodiff/gradients.h"
#include "weft/graph/error.h"
#include "weft/graph/graph.h"
#include "weft/graph/verify.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/thrown.h"
#include "weft/tests/support/toy_ops.h"

namespace weft {
namespace {

size_t AvailableBytes() {
  std::ifstream file("/proc/meminfo");
  for (std::string word; file >> word;) {
    size_t kib = 0;
    if (word == "MemAvailable:" && file >> kib) return kib * 1024;
  }
  return 0;
}

TEST(NightlyLimits, TenMillionNodesAndNotOneMore) {
  constexpr size_t kNeeded = size_t{6} << 30;
  if (AvailableBytes() < kNeeded) GTEST_SKIP() << "ten million nodes need 6 GiB";
  constexpr size_t kMost = 10'000'000;
  Graph graph;
  Node x = ToyInput(graph, "X");
  while (graph.size() < kMost) x = ToyUnary(x);
  EXPECT_EQ(Thrown<ResourceError>([&] { ToyUnary(x); }),
            "Graph: got more than 10000000 nodes, the limit, at 'Unary_9999999'");
  EXPECT_EQ(graph.size(), kMost);
  EXPECT_EQ(x.name(), "Unary_9999998");
}

// Row 74 of tests/inputs at its full length: no recursion, and nothing quadratic.
TEST(NightlyLimits, AChainOfAMillionNodesIsBuiltDifferentiatedAndFreed) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {});
  Node y = x;
  for (int i = 1; i < 1'000'000; ++i) y = Exp(y);
  EXPECT_EQ(Gradients(y, {x}).size(), 1U);
  Verify(graph);
}

}  // namespace
}  // namespace weft
