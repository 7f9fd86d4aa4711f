// The small programs beside the tool.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "weft/tests/examples/tool_test.h"

namespace weft {
namespace {

Outcome RunExample(const std::string& name) { return RunTool({}, {.binary = std::string(WEFT_EXAMPLES) + "/" + name}); }

TEST(LinearRegression, FindsTheLine) {
  const Outcome outcome = RunExample("linear_regression");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, testing::StartsWith("y = 3.000 x0 -2.000 x1 +1.000, mean square error "));
}

TEST(DumpGraph, PrintsScopesAsClusters) {
  const Outcome outcome = RunExample("dump_graph");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, testing::StartsWith("digraph"));
  EXPECT_THAT(outcome.out, testing::HasSubstr("subgraph cluster"));
}

TEST(MnistClassifier, TellsMoreThan97PercentRight) {
  const Outcome outcome = RunExample("mnist_classifier");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::string last = Lines(outcome.out).back(), key = "test accuracy ";
  ASSERT_THAT(last, testing::HasSubstr(key));
  EXPECT_GE(std::stod(last.substr(last.find(key) + key.size())), 97) << outcome.out;
}

}  // namespace
}  // namespace weft
