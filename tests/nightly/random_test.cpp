// Ten million numbers of each random op. `./run test --nightly`
#include <gtest/gtest.h>

#include "weft/graph/runtime/session.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/distributions.h"

namespace weft {
namespace {

constexpr int64_t kSamples = 10'000'000;

class TenMillionNumbers : public testing::TestWithParam<DType> {
 protected:
  using Builder = Node (*)(Graph&, std::string_view, const Shape&, DType);
  static std::vector<double> Of(Builder build) {
    Graph graph;
    const Node noise = build(graph, "Encoder/Epsilon", {kSamples}, GetParam());
    VariableStore nothing;
    Session session(graph, nothing);
    return SamplesOf(session.Run({}, noise));
  }
};

INSTANTIATE_TEST_SUITE_P(Types, TenMillionNumbers, testing::Values(DType::kFloat32, DType::kFloat64),
                         [](const auto& tested) { return std::string(Name(tested.param)); });

TEST_P(TenMillionNumbers, AreUniform) { ExpectUniform(Of(RandomUniform)); }
TEST_P(TenMillionNumbers, AreNormal) { ExpectNormal(Of(RandomNormal)); }
TEST_P(TenMillionNumbers, AreNormalBetweenTwoBounds) { ExpectTruncatedNormal(Of(TruncatedNormal)); }

}  // namespace
}  // namespace weft
