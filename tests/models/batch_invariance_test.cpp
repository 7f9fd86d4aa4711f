// In inference a row's result does not depend on which rows are beside it, nor on how many there are.
#include <algorithm>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "weft/graph/runtime/session.h"
#include "weft/graph/scope.h"
#include "weft/models/layers.h"
#include "weft/models/variational_autoencoder.h"
#include "weft/ops/operators.h"
#include "weft/tests/support/simd_targets.h"

namespace weft {
namespace {

constexpr int64_t kMostRows = 130;

Tensor SomeRows(int64_t width, DType dtype) {
  Tensor rows(DType::kFloat64, {kMostRows, width});
  uint32_t state = 1;
  for (double& value : rows.values<double>()) {
    state = state * 1664525 + 1013904223;
    value = static_cast<double>(state >> 8) * 0x1p-24;
  }
  return rows.Cast(dtype);
}

// Compares every row of every batch of 1 to 130 rows, which begin at another row each time, with the whole. On the
// targets that are not the best one: of some batches.
void ExpectSameRows(Node x, Node y) {
  VariableStore store(x.graph());
  Initialize(x.graph(), store, {.threads = 1});
  const Tensor input = SomeRows(x.shape()[1].length(), x.dtype());
  const std::vector<int64_t> targets = SimdTargets();
  for (const int64_t target : targets) {
    SCOPED_TRACE(SimdTargetName(target));
    const OnSimdTarget on(target);
    Session session(x.graph(), store, {.threads = 1});
    const Tensor whole = session.Run({{x, input}}, y);
    const int64_t step = target == targets.front() ? 1 : 13;
    for (int64_t rows = 1; rows < kMostRows; rows += step) {
      const int64_t begin = rows * 37 % (kMostRows - rows + 1);
      const Tensor part = session.Run({{x, input.Rows(begin, begin + rows)}}, y);
      ASSERT_EQ(part, whole.Rows(begin, begin + rows)) << rows << " rows from " << begin;
    }
  }
}

TEST(BatchInvariance, OfAnAutoencoder) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    Graph graph;
    const VaeConfig config = {.pixels = 99, .hidden_units = 70, .hidden_layers = 2, .dtype = dtype};
    const Node x = Placeholder(graph, "X", {kBatch, config.pixels}, {.dtype = dtype});
    const Encoder encoder = BuildEncoder(x, config);
    ExpectSameRows(x, BuildDecoder(encoder.mean, config).mean);
  }
}

// Long enough that the depth of a product is cut into pieces, and one column, and more than a panel of them.
TEST(BatchInvariance, OfProducts) {
  for (const int64_t units : {1, 10, 65}) {
    Graph graph;
    const Node x = Placeholder(graph, "X", {kBatch, 1101});
    ExpectSameRows(x, LogSoftmax(FullyConnected("Layer", x, units, {.initializer = Initializer::kGlorot})));
  }
}

// The noise of a row belongs to its number, so batches that begin at the same row have the same.
TEST(BatchInvariance, OfNoise) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 7});
  const Node y = x + RandomNormalLike("Noise", x);
  VariableStore store;
  Session session(graph, store, {.threads = 1});
  const Tensor input = SomeRows(7, DType::kFloat32), whole = session.Run({{x, input}}, y);
  for (int64_t rows = 1; rows < kMostRows; ++rows)
    ASSERT_EQ(session.Run({{x, input.Rows(0, rows)}}, y), whole.Rows(0, rows)) << rows;
}

}  // namespace
}  // namespace weft
