// Graphs at the limit of nodes.
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "weft/graph/error.h"
#include "weft/graph/graph.h"
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

}  // namespace
}  // namespace weft
