// vae diff: what it finds between checkpoints and between graphs, and how it says that nothing differs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "weft/examples/vae/value_difference.h"
#include "weft/tests/examples/tool_test.h"

namespace weft {
namespace {

using nlohmann::json;
using testing::HasSubstr;

Outcome Diff(const std::filesystem::path& a, const std::filesystem::path& b,
             const std::vector<std::string>& more = {}) {
  return RunTool(std::vector<std::string>{"diff", a.string(), b.string()} + more);
}

TEST(ValueDifference, TellsBitsDistancesAndWhatIsNotFinite) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();
  struct Case {
    std::vector<float> a, b;
    int64_t unequal, not_finite;
    double largest, largest_relative;
  };
  for (const Case& each : std::vector<Case>{{{1, 2}, {1, 2}, 0, 0, 0, 0},
                                            {{1, 2, 4}, {1, 3, 2}, 2, 0, 2, 0.5},
                                            {{1, -1}, {1, 1}, 1, 0, 2, 2},
                                            {{0.F}, {-0.F}, 1, 0, 0, 0},
                                            {{kNan, kInfinity}, {kNan, kInfinity}, 0, 0, 0, 0},
                                            {{kNan, kInfinity, 8}, {1, -kInfinity, 4}, 3, 2, 4, 0.5},
                                            {{3e38F}, {-3e38F}, 1, 0, 6e38, 2}}) {
    const auto tensor = [](const std::vector<float>& values) {
      return Tensor::Of<float>({static_cast<int64_t>(values.size())}, std::span<const float>(values));
    };
    const ValueDifference got = Difference(tensor(each.a), tensor(each.b));
    SCOPED_TRACE(testing::PrintToString(each.a) + " and " + testing::PrintToString(each.b));
    EXPECT_EQ(got.elements, static_cast<int64_t>(each.a.size()));
    EXPECT_EQ(got.unequal, each.unequal);
    EXPECT_EQ(got.not_finite, each.not_finite);
    EXPECT_NEAR(got.largest, each.largest, 1e-6 * each.largest);
    EXPECT_NEAR(got.largest_relative, each.largest_relative, 1e-6);
  }
  EXPECT_EQ(Difference(Tensor::Of<int64_t>({2}, {1, 2}), Tensor::Of<int64_t>({2}, {1, 5})).largest, 3);
}

class DiffTool : public ToolTest {};

TEST_F(DiffTool, OfTheSameEndsWithZero) {
  const Outcome same = Diff(model(), run());
  EXPECT_EQ(same.code, 0) << same.err;
  EXPECT_EQ(same.out, "equal: 42 names in both, 0 only in A, 0 only in B, 0 of another type, 0 of other values\n");
  EXPECT_EQ(json::parse(Diff(model(), model(), {"--json"}).out).at("equal"), true);
}

TEST_F(DiffTool, FindsValuesNamesTypesAndMetadata) {
  const auto changed = Changed(
      [](VariableStore& variables, Metadata& metadata) {
        Tensor bias = variables.Get("Encoder/Mean/b");
        bias.values<float>()[0] += 0.5F;
        bias.values<float>()[1] = std::numeric_limits<float>::quiet_NaN();
        variables.Set("Encoder/Mean/b", bias);
        variables.Set("Added/W", Tensor(DType::kFloat32, {2, 3}));
        metadata["hidden"] = "17";
        metadata.erase("latent");
      },
      {"Decoder/Logits/b"});
  const Outcome text = Diff(model(), changed);
  EXPECT_EQ(text.code, 1) << text.err;
  for (const char* line :
       {"only in A  Decoder/Logits/b: f32[784]\n", "only in B  Added/W: f32[2, 3]\n",
        "values     Encoder/Mean/b: 2 of 2 differ, by at most 0.5, ", "; 1 are not finite\n",
        "metadata   hidden: A '16', B '17'\n", "metadata   latent: A '2', B none\n",
        "different: 41 names in both, 1 only in A, 1 only in B, 0 of another type, 1 of other values\n"}) {
    EXPECT_THAT(text.out, HasSubstr(line));
  }
  const json found = json::parse(Diff(model(), changed, {"--json"}).out);
  EXPECT_EQ(found.at("equal"), false);
  EXPECT_EQ(found.at("only_in_a"), json::parse(R"([{"name": "Decoder/Logits/b", "type": "f32[784]"}])"));
  EXPECT_EQ(found.at("values")[0].at("name"), "Encoder/Mean/b");
  EXPECT_EQ(found.at("values")[0].at("not_finite"), 1);
  EXPECT_EQ(found.at("metadata")[1], json::parse(R"({"name": "latent", "a": "2", "b": null})"));
}

TEST_F(DiffTool, LooksIntoAScopeOnly) {
  const auto changed = Changed([](VariableStore& variables, Metadata& metadata) {
    variables.Set("Decoder/Logits/b", Tensor(DType::kFloat32, {784}));
    metadata["hidden"] = "17";
  });
  EXPECT_EQ(Diff(model(), changed, {"--scope", "Encoder"}).code, 0);
  EXPECT_EQ(Diff(model(), changed, {"--scope", "Decoder/Logits"}).code, 1);
  ExpectError(Diff(model(), changed, {"--scope", "Encodr"}), 2,
              "value: --scope: got 'Encodr', expected the name of a scope or node. Did you mean 'Encoder'?");
}

TEST_F(DiffTool, ComparesGraphsNodeByNode) {
  const auto graph = [this](const std::string& name, const std::vector<std::string>& more) {
    const Outcome text = RunTool(std::vector<std::string>{"graph", "--format", "text", "--hidden", "16"} + more);
    WriteFile(own_ / name, text.out);
    return own_ / name;
  };
  const auto a = graph("a", {}), b = graph("b", {"--layers", "2"}), c = graph("c", {"--latent", "5"});
  EXPECT_EQ(Diff(a, a).code, 0);
  const Outcome fewer = Diff(a, b);
  EXPECT_EQ(fewer.code, 1) << fewer.err;
  EXPECT_THAT(fewer.out, HasSubstr("only in A  Encoder/FullyConnected_2/W: Variable("));
  EXPECT_THAT(fewer.out, HasSubstr("different  Encoder/H: A Relu(Encoder/BatchNormalization_2) : f32[N, 16], "
                                   "B Relu(Encoder/BatchNormalization_1) : f32[N, 16]\n"));
  EXPECT_THAT(Diff(a, c).out, HasSubstr("different  Encoder/Mean: "));
  EXPECT_EQ(Diff(a, c, {"--scope", "Encoder/FullyConnected"}).code, 0);
}

TEST_F(DiffTool, RefusesWhatIsNeither) {
  WriteFile(own_ / "broken", "weft graph 1\nA = Nothing()\n");
  ExpectError(Diff(own_ / "broken", model()), 4, "graph: " + (own_ / "broken").string() + ": graph text, line 2");
  ExpectError(Diff(model(), own_ / "nowhere"), 5, "nowhere");
  ExpectError(Diff(model(), own_.path()), 4, "got no model-STEP.safetensors");
}

}  // namespace
}  // namespace weft
