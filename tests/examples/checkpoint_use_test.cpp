// Commands that apply a checkpoint: what they print and write. Files that are none are in tests/inputs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include <nlohmann/json.hpp>

#include "weft/tests/examples/tool_test.h"

namespace weft {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class CheckpointUse : public ToolTest {
 protected:
  Outcome Generate(const std::filesystem::path& from, const std::vector<std::string>& more = {}) const {
    return RunTool(std::vector<std::string>{"generate", "--from", from.string(), "--out", (own_ / "pictures").string(),
                                            "--data", data().string()} +
                   more);
  }
  Outcome Evaluate(const std::filesystem::path& from, const std::vector<std::string>& more = {}) const {
    return RunTool(std::vector<std::string>{"evaluate", "--from", from.string(), "--data", data().string()} + more);
  }
};

TEST_F(CheckpointUse, GenerateRestoresTheDecoderOnly) {
  const Outcome outcome = Generate(model());
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("restored 20 variables of Decoder"));
  EXPECT_THAT(outcome.err, testing::Not(HasSubstr("Encoder")));
  EXPECT_EQ(outcome.out, "wrote " + (own_ / "pictures/vae_z.png").string() + "\nwrote " +
                             (own_ / "pictures/samples.png").string() + "\n");
  EXPECT_THAT(ReadFile(own_ / "pictures/vae_z.png"), testing::StartsWith("\x89PNG"));
}

TEST_F(CheckpointUse, SamplesAreAFunctionOfTheSeed) {
  const auto samples = [&](const std::vector<std::string>& more) {
    EXPECT_EQ(Generate(model(), std::vector<std::string>{"--grid", "2", "--force"} + more).code, 0);
    return ReadFile(own_ / "pictures/samples.png");
  };
  const std::string standard = samples({});
  EXPECT_TRUE(standard == ReadFile(run() / "samples.png")) << "those of the training";
  EXPECT_TRUE(standard == samples({"--seed", "1", "--threads", "1"}));
  EXPECT_FALSE(standard == samples({"--seed", "2"}));
}

TEST_F(CheckpointUse, GenerateAroundAnImageRestoresTheEncoderToo) {
  const Outcome outcome = Generate(run(), {"--around", "3", "--grid", "4", "--range", "2.5"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("restored 20 variables of Decoder"));
  EXPECT_THAT(outcome.err, HasSubstr("restored 22 variables of Encoder"));
  EXPECT_TRUE(std::filesystem::exists(own_ / "pictures/vae_std.png"));
}

TEST_F(CheckpointUse, EvaluatePrintsTheFiguresOfTheContract) {
  const Outcome outcome = Evaluate(model(), {"--json"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const json figures = json::parse(outcome.out);
  EXPECT_EQ(figures.size(), 7U);
  EXPECT_EQ(figures.at("images"), 60);
  EXPECT_NEAR(figures.at("negative_elbo").get<double>(),
              figures.at("reconstruction").get<double>() + figures.at("kl").get<double>(), 1e-9);
  EXPECT_NEAR(figures.at("bits_per_dim").get<double>(), figures.at("negative_elbo").get<double>() / (784 * std::log(2)),
              1e-9);
  ASSERT_EQ(figures.at("axes").size(), 2U);
  EXPECT_NEAR(figures.at("axes")[0].at("kl").get<double>() + figures.at("axes")[1].at("kl").get<double>(),
              figures.at("kl").get<double>(), 1e-5);
  EXPECT_EQ(figures.at("active_axes"), std::ranges::count_if(figures.at("axes"), [](const json& axis) {
              EXPECT_EQ(axis.at("active"), axis.at("variance") > 0.01);
              return axis.at("active").get<bool>();
            }));
  EXPECT_THAT(Evaluate(model()).out, HasSubstr("\naxis 1: KL "));
  EXPECT_EQ(Evaluate(run(), {"--json", "--threads", "1"}).out, outcome.out) << "any number of threads";
  EXPECT_EQ(json::parse(Evaluate(model(), {"--json", "--split", "train", "--samples", "3"}).out).at("images"), 300);
}

TEST_F(CheckpointUse, EncodeWritesTables) {
  const auto encode = [&](const char* name) {
    return RunTool({"encode", "--from", model().string(), "--data", data().string(), "--out", (own_ / name).string()});
  };
  EXPECT_EQ(encode("latent.csv").code, 0);
  const std::vector<std::string> lines = Lines(ReadFile(own_ / "latent.csv"));
  ASSERT_EQ(lines.size(), 61U);
  EXPECT_EQ(lines[0], "mean_0,mean_1,log_variance_0,log_variance_1,label");
  EXPECT_THAT(lines[2], testing::MatchesRegex("([-0-9.e]+,){4}7"));
  EXPECT_EQ(encode("latent.npy").code, 0);
  EXPECT_EQ(ReadFile(own_ / "latent.npy").size(), 128 + 60 * 4 * sizeof(float));
}

TEST_F(CheckpointUse, ReconstructDraws) {
  EXPECT_EQ(
      RunTool({"reconstruct", "--from", model().string(), "--data", data().string(), "--out", own_.path().string()})
          .code,
      0);
  EXPECT_TRUE(std::filesystem::exists(own_ / "reconstructions.png"));
}

TEST_F(CheckpointUse, InterpolateDrawsAStrip) {
  const auto interpolate = [&](const std::vector<std::string>& more) {
    return RunTool(std::vector<std::string>{"interpolate", "--from", model().string(), "--data", data().string()} +
                   more);
  };
  const std::string file = (own_ / "between.png").string();
  const Outcome outcome = interpolate({"--a", "3", "--b", "59", "--out", file});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "wrote " + file + "\n");
  EXPECT_EQ(ReadFile(file).substr(16, 8), std::string("\0\0\1\x18\0\0\0\x1C", 8)) << "280 × 28 pixels";
  ExpectError(interpolate({"--a", "3", "--b", "60", "--out", file}), 2, "--b: got 60, expected a whole number from 0");
  ExpectError(interpolate({"--a", "3", "--b", "5", "--out", file}), 5, "between.png: got a file that exists");
  ExpectError(interpolate({"--a", "3", "--b", "5", "--out", "strip.jpg"}), 2, "expected a file name that ends in .png");
}

TEST_F(CheckpointUse, ExploreMakesAPage) {
  const auto explore = [&](const std::vector<std::string>& more) {
    return RunTool(std::vector<std::string>{"explore", "--data", data().string()} + more);
  };
  const std::vector<std::string> from = {"--from", model().string()};
  const std::string file = (own_ / "explore.html").string();
  const Outcome outcome = explore(from + std::vector<std::string>{"--images", "7", "--out", file});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "wrote " + file + "\n");
  const std::string page = ReadFile(file), begin = "id=\"data\">";
  const size_t at = page.find(begin) + begin.size();
  const json figures = json::parse(page.substr(at, page.find("</script>", at) - at));
  EXPECT_EQ(figures.at("count"), 7);
  EXPECT_EQ(figures.at("total"), 60) << "the axes are those of all images";
  EXPECT_EQ(figures.at("axes"), json::parse(Evaluate(model(), {"--json"}).out).at("axes"));
  EXPECT_EQ(figures.at("means").get<std::string>().size(), 76U) << "base64 of 7 · 2 · 4 bytes";
  EXPECT_THAT(page, HasSubstr("const decode = "));
  ExpectError(explore(from + std::vector<std::string>{"--out", file}), 5, "explore.html: got a file that exists");
  EXPECT_EQ(explore(from + std::vector<std::string>{"--out", file, "--force"}).code, 0);
  const auto wide = Changed([](VariableStore& variables, Metadata&) {
    std::ranges::fill(variables.Find("Encoder/LogVariance/b")->value().values<float>(), 1e3F);
  });
  ExpectError(explore({"--from", wide.string(), "--out", (own_ / "wide.html").string()}), 6,
              "latent axis 0: got a divergence of inf");
  EXPECT_FALSE(std::filesystem::exists(own_ / "wide.html"));
  ExpectError(explore(from + std::vector<std::string>{"--out", "explore.txt"}), 2,
              "--out: got 'explore.txt', expected a file name that ends in .html");
  ExpectError(explore(from + std::vector<std::string>{"--out", file, "--images", "0"}), 2,
              "--images: got '0', expected a whole number from 1 to");
}

TEST_F(CheckpointUse, InfoListsVariablesAndGenerations) {
  const Outcome file = RunTool({"info", model().string()});
  EXPECT_EQ(file.code, 0) << file.err;
  EXPECT_THAT(file.out, HasSubstr("variables    42 with "));
  EXPECT_THAT(file.out, HasSubstr("variable     Encoder/FullyConnected/W f32[784, 16]\n"));
  EXPECT_THAT(file.out, HasSubstr("metadata     node.Encoder/H = Relu f32[N, 16]\n"));
  const Outcome directory = RunTool({"info", run().string()});
  EXPECT_THAT(directory.out, HasSubstr("checkpoint   step 8 epoch 1"));
  EXPECT_THAT(directory.out, HasSubstr("the newest that is whole"));
}

TEST_F(CheckpointUse, SizesAreMeasuredWhereTheFileDoesNotSayThem) {
  const auto file = Changed([](VariableStore&, Metadata& metadata) { metadata.clear(); });
  EXPECT_EQ(Evaluate(file, {"--json"}).out, Evaluate(model(), {"--json"}).out);
}

TEST_F(CheckpointUse, TakesAnOlderGenerationWhereTheNewestIsDamaged) {
  const std::filesystem::path copy = own_ / "run";
  std::filesystem::copy(run(), copy);
  WriteFile(copy / "model-16.safetensors", "");
  EXPECT_EQ(Evaluate(copy, {"--json"}).out, Evaluate(run() / "model-8.safetensors", {"--json"}).out);
}

TEST_F(CheckpointUse, MissingPlacesAreErrorsOfReading) {
  ExpectError(Evaluate(own_ / "nowhere"), 5, "nowhere");
  ExpectError(RunTool({"train", "--resume", (own_ / "nowhere").string()}), 5, "nowhere");
  ExpectError(Evaluate(own_.path()), 4, "got no model-STEP.safetensors, expected at least one, as 'vae train' writes");
  WriteFile(own_ / "else", "{}");
  ExpectError(Evaluate(own_ / "else"), 4, "'vae info' lists what a checkpoint holds, 'vae import' makes one");
  std::filesystem::remove(own_ / "else");
  EXPECT_TRUE(own_.Names().empty());
}

}  // namespace
}  // namespace weft
