// The tool from outside: bad command lines, places that cannot be written to, data that cannot be read. Exit code, one
// line on stderr, and everything that existed is as it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weft/tests/examples/tool_test.h"

namespace weft {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

class CommandLine : public ToolTest {};

TEST_F(CommandLine, WithoutArgumentsShowsUsageOnStderr) {
  const Outcome outcome = RunTool({});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("Usage: vae"));
}

TEST_F(CommandLine, HelpAndVersionGoToStdout) {
  EXPECT_THAT(RunTool({"--help"}).out, HasSubstr("reconstruct"));
  EXPECT_THAT(RunTool({"train", "--help"}).out, HasSubstr("--learning-rate"));
  const Outcome version = RunTool({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.out,
              MatchesRegex("vae [0-9.]+ SIMD [A-Z0-9_]+ of .* threads [0-9]+ numerics [0-9]+ (no-)?fma\n"));
}

TEST_F(CommandLine, RefusesWhatItDoesNotUnderstand) {
  ExpectError(RunTool({"train", "--epoch", "3"}), 2, "Did you mean '--epochs'?");
  ExpectError(RunTool({"train", "--epochs=0x10"}), 2,
              "--epochs: got '0x10', expected a whole number from 1 to 1000000");
  ExpectError(RunTool({"train", "--learning-rate=0,001"}), 2, "decimal point");
  ExpectError(RunTool({"train", "--threads=100000"}), 2, "from 0 to 1024");
  ExpectError(RunTool({"train", "--target=AVX9"}), 2, "SCALAR");
  ExpectError(RunTool({"train", "--data", data().string(), "--epochs", "a\nb"}), 2, "'a\\x0ab'");
  ExpectError(RunTool({"train", "--run-id", std::string(100'000, 'x')}), 2, "--run-id");
  ExpectError(RunTool({"graph", "--scope", "Encodr"}), 2, "Did you mean 'Encoder'?");
}

TEST_F(CommandLine, NamesTheSizeOfTheDataSet) {
  ExpectError(RunTool({"train", "--data", data().string(), "--batch", "301", "--out", (own_ / "a").string()}), 2,
              "--batch: got 301, expected a whole number from 1 to 300");
  ExpectError(RunTool({"train", "--data", data().string(), "--batch", "300", "--validation", "50", "--out",
                       (own_ / "a").string()}),
              2, "from 1 to 250");
  ExpectError(RunTool({"train", "--data", data().string(), "--out", (own_ / "a").string()}), 2,
              "--validation: got 5000, expected a whole number from 0 to 299");
  ExpectError(RunTool({"generate", "--from", model().string(), "--data", data().string(), "--out",
                       (own_ / "a").string(), "--around", "60"}),
              2, "from 0 to 59");
  EXPECT_TRUE(own_.Names().empty());
}

TEST_F(CommandLine, NamesTheMemoryThatIsMissing) {
  ExpectError(RunTool({"train", "--data", data().string(), "--latent", "1099511627776"}), 2, "which needs");
  ExpectError(RunTool({"train", "--data", data().string(), "--batch", "32", "--validation", "50", "--hidden", "1000000",
                       "--out", (own_ / "a").string()}),
              7, "needs 64");
  EXPECT_TRUE(own_.Names().empty());
}

TEST_F(CommandLine, KeepsWhatExists) {
  const std::filesystem::path out = own_ / "out";
  ExpectError(RunTool(Training({"--out", (out / "deeper").string()})), 5, "directory does not exist");
  EXPECT_TRUE(own_.Names().empty());

  std::filesystem::create_directory(out);
  WriteFile(out / "letter", "dear");
  WriteFile(out / "zebra", "");
  const auto before = Contents(own_.path());
  ExpectError(RunTool(Training({"--out", out.string()})), 5, "'letter'");
  ExpectError(RunTool(Training({"--out", (out / "letter").string()})), 5, "got a file, expected a directory");
  ExpectError(RunTool({"encode", "--from", model().string(), "--data", data().string(), "--out",
                       (out / "letter.txt").string()}),
              2, ".csv or .npy");
  EXPECT_TRUE(Contents(own_.path()) == before);
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

TEST_F(CommandLine, StdoutThatIsFullFailsTheReportOnly) {
  const std::filesystem::path out = own_ / "out";
  const Outcome outcome = RunTool(Training({"--epochs", "1", "--out", out.string()}), {.out = "/dev/full"});
  ExpectError(outcome, 5, "standard output");
  EXPECT_TRUE(std::filesystem::exists(out / "model-8.safetensors"));
  EXPECT_TRUE(std::filesystem::exists(out / "curves.png"));
}

struct DataCase {
  const char* name;
  std::function<void(const std::filesystem::path& directory)> damage;
  const char* expected;
};

TEST_F(CommandLine, RefusesDamagedData) {
  const auto images = [](const std::filesystem::path& directory) { return directory / "train-images-idx3-ubyte"; };
  const std::vector<DataCase> cases = {
      {"missing", [&](const auto& directory) { std::filesystem::remove(images(directory)); }, "missing file: "},
      {"directory",
       [&](const auto& directory) {
         std::filesystem::remove(images(directory)), std::filesystem::create_directory(images(directory));
       },
       "directory"},
      {"empty", [&](const auto& directory) { std::filesystem::resize_file(images(directory), 0); },
       "got 0 bytes, expected 16"},
      {"cut", [&](const auto& directory) { std::filesystem::resize_file(images(directory), 15); },
       "got 15 bytes, expected 16"},
      {"magic", [&](const auto& directory) { WriteFile(images(directory), std::string(100, 'x')); },
       "expected 0x00000803"},
      {"small", [](const auto& directory) { WriteSmallSplit(directory, "t10k", 10, 20); }, "got 20×20, expected 28×28"},
  };
  for (const DataCase& each : cases) {
    const std::filesystem::path directory = own_ / each.name, out = own_ / "out";
    WriteSmallData(directory);
    each.damage(directory);
    ExpectError(RunTool({"train", "--data", directory.string(), "--validation", "50", "--out", out.string()}), 3,
                each.expected);
    EXPECT_FALSE(std::filesystem::exists(out)) << each.name;
  }
}

TEST_F(CommandLine, RefusesImagesOfAnotherSizeThanTheModels) {
  WriteSmallData(own_ / "small", 20);
  ExpectError(RunTool({"evaluate", "--from", model().string(), "--data", (own_ / "small").string()}), 3, "InputData/X");
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
