// The tool from outside: help, views of the graph, and what depends on the data. Bad inputs are in tests/inputs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weft/tests/examples/tool_test.h"

namespace weft {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

class CommandLine : public ToolTest {};

TEST_F(CommandLine, HelpAndVersionGoToStdout) {
  EXPECT_THAT(RunTool({"--help"}).out, HasSubstr("reconstruct"));
  EXPECT_THAT(RunTool({"train", "--help"}).out, HasSubstr("--learning-rate"));
  const Outcome version = RunTool({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.out,
              MatchesRegex("vae [0-9.]+ SIMD [A-Z0-9_]+ of .* threads [0-9]+ numerics [0-9]+ (no-)?fma\n"));
}

TEST_F(CommandLine, RefusesAScopeThatIsNotThere) {
  ExpectError(RunTool({"graph", "--scope", "Encodr"}), 2, "Did you mean 'Encoder'?");
}

TEST_F(CommandLine, NamesTheSizeOfTheDataSet) {
  ExpectError(RunTool({"train", "--data", data().string(), "--out", (own_ / "a").string()}), 2,
              "--validation: got 5000, expected a whole number from 0 to 299");
  ExpectError(RunTool({"generate", "--from", model().string(), "--data", data().string(), "--out",
                       (own_ / "a").string(), "--around", "60"}),
              2, "from 0 to 59");
  EXPECT_TRUE(own_.Names().empty());
}

TEST_F(CommandLine, EncodesToTablesOnly) {
  ExpectError(RunTool({"encode", "--from", model().string(), "--data", data().string(), "--out",
                       (own_ / "letter.txt").string()}),
              2, ".csv, .npy or .npz");
  EXPECT_TRUE(own_.Names().empty());
}

TEST_F(CommandLine, ReplacesAPictureOnlyIfForced) {
  const std::vector<std::string> generate = {"generate", "--from", model().string(), "--out", own_.path().string(),
                                             "--grid",   "2"};
  EXPECT_EQ(RunTool(generate).code, 0);
  const auto before = Contents(own_.path());
  ExpectError(RunTool(generate), 5, "vae_z.png: got a file that exists");
  EXPECT_TRUE(Contents(own_.path()) == before);
  EXPECT_EQ(RunTool(generate + std::vector<std::string>{"--force"}).code, 0);
}

TEST_F(CommandLine, GraphPlanAndLintNeedNoData) {
  const std::vector<std::string> size = {"--hidden", "16", "--batch", "32"};
  const Outcome dot = RunTool(std::vector<std::string>{"graph", "--training", "--depth", "2"} + size);
  EXPECT_EQ(dot.code, 0) << dot.err;
  EXPECT_THAT(dot.out, HasSubstr("subgraph cluster"));
  const Outcome text = RunTool(std::vector<std::string>{"graph", "--format", "text", "--scope", "Decoder"} + size);
  EXPECT_EQ(Lines(text.out).front(), "weft graph 1");
  EXPECT_THAT(text.out, HasSubstr("\nDecoder/H = Relu("));
  EXPECT_THAT(text.out, testing::Not(HasSubstr("\nEncoder/")));
  const Outcome plan = RunTool(std::vector<std::string>{"plan", "--dump-passes", (own_ / "passes").string()} + size);
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("arena bytes"));
  EXPECT_THAT(plan.out, HasSubstr("training"));
  EXPECT_GT(Contents(own_ / "passes").size(), 10U);
  const Outcome measured = RunTool(std::vector<std::string>{"plan", "--measure"} + size);
  EXPECT_EQ(measured.code, 0) << measured.err;
  EXPECT_THAT(measured.out, HasSubstr("one after the other on one thread"));
  EXPECT_THAT(measured.out, HasSubstr("Decoder/Logits/MatMul: f32[32, 784], depth 16"));
  const Outcome lint = RunTool(std::vector<std::string>{"lint"} + size);
  EXPECT_EQ(lint.code, 0) << lint.err;
  EXPECT_THAT(lint.out, HasSubstr("dead-bias: "));
}

}  // namespace
}  // namespace weft
