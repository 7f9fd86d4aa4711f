// Models that are texts, through the tool: the bits of the compiled network, and runs that know their model.
#include <cstring>

#include <nlohmann/json.hpp>

#include "weft/models/model_text.h"
#include "weft/tests/examples/tool_test.h"

namespace weft {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string ModelPath(const std::string& name) { return std::string(WEFT_SOURCE_DIR) + "/models/" + name; }

const std::string kAutoencoder = ModelPath("variational_autoencoder.weft");

// What lies behind the header of a checkpoint.
std::string NumbersIn(const std::filesystem::path& file) {
  const std::string content = ReadFile(file);
  uint64_t header = 0;
  EXPECT_GT(content.size(), sizeof(header)) << file;
  std::memcpy(&header, content.data(), std::min(content.size(), sizeof(header)));
  return content.substr(std::min<size_t>(sizeof(header) + header, content.size()));
}

std::vector<std::string> VariablesIn(const std::filesystem::path& file) {
  std::vector<std::string> variables;
  for (const CheckpointSummary::Variable& variable : Inspect(file).variables)
    variables.push_back(variable.path.str() + " " + ToString(variable.shape));
  return variables;
}

class TextModel : public ToolTest {
 protected:
  std::filesystem::path out() const { return own_ / "run"; }
  // A copy of a model's text after `from` became `to` there.
  std::filesystem::path Edited(const std::string& model, const std::string& from, const std::string& to) const {
    std::string text = ReadFile(model);
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    WriteFile(own_ / "edited.weft", text.replace(at, from.size(), to));
    return own_ / "edited.weft";
  }
  Outcome Train(const std::string& model, const std::vector<std::string>& more = {}) const {
    return RunTool(Training({"--epochs", "2", "--model", model, "--out", out().string()}) + more);
  }
};

// ---- The same bits -------------------------------------------------------------------------------------------------

TEST_F(TextModel, TrainsToTheBitsOfTheCompiledNetwork) {
  const Outcome outcome = Train(kAutoencoder);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err,
              HasSubstr("variational_autoencoder.weft with beta=1 dtype=f32 hidden=16 init=tutorial latent=2 "
                        "layers=3 pixels=784: 27,284 parameters"));
  for (const char* step : {"8", "16"}) {
    const std::string weights = std::string("model-") + step + ".safetensors";
    const std::string state = std::string("model-") + step + ".state.safetensors";
    EXPECT_EQ(VariablesIn(out() / weights), VariablesIn(run() / weights));
    EXPECT_TRUE(NumbersIn(out() / weights) == NumbersIn(run() / weights)) << step;
    EXPECT_EQ(VariablesIn(out() / state), VariablesIn(run() / state));
    EXPECT_TRUE(NumbersIn(out() / state) == NumbersIn(run() / state)) << step;
  }
}

TEST_F(TextModel, HasTheGraphOfTheCompiledNetwork) {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"graph", "--format", "text", "--training", "--hidden", "8"},
        {"lint", "--layers", "2"},
        {"plan", "--latent", "3"}}) {
    const Outcome compiled = RunTool(command),
                  text = RunTool(command + std::vector<std::string>{"--model", kAutoencoder});
    ASSERT_EQ(text.code, 0) << text.err;
    EXPECT_EQ(text.out, compiled.out) << command[0];
  }
}

// ---- Runs know their model -----------------------------------------------------------------------------------------

TEST_F(TextModel, IsInTheRun) {
  std::filesystem::copy(kAutoencoder, own_ / "model.weft");
  ASSERT_EQ(Train(own_ / "model.weft").code, 0);
  std::filesystem::remove(own_ / "model.weft");
  const auto apply = [&](const std::filesystem::path& from, const std::vector<std::string>& command) {
    Outcome outcome = RunTool(command + std::vector<std::string>{"--from", from.string(), "--data", data().string()});
    EXPECT_EQ(outcome.code, 0) << command[0] << ": " << outcome.err;
    return outcome.out;
  };
  EXPECT_EQ(apply(out(), {"evaluate", "--json"}), apply(run(), {"evaluate", "--json"}));
  const auto compare = [&](const std::vector<std::string>& command, const std::string& file) {
    const std::filesystem::path text = own_ / "text", compiled = own_ / "compiled";
    std::filesystem::create_directories(text);
    std::filesystem::create_directories(compiled);
    const bool is_file = command[0] == "encode";
    apply(out(), command + std::vector<std::string>{"--out", is_file ? (text / file).string() : text.string()});
    apply(run(), command + std::vector<std::string>{"--out", is_file ? (compiled / file).string() : compiled.string()});
    EXPECT_FALSE(ReadFile(text / file).empty()) << file;
    EXPECT_TRUE(ReadFile(text / file) == ReadFile(compiled / file)) << file;
  };
  compare({"encode"}, "codes.csv");
  for (const char* part : {"encoder", "reconstruction"}) {
    const auto exported = [&](const std::filesystem::path& from) {
      const Outcome outcome = RunTool({"export", "--from", from.string(), "--part", part, "--format", "js", "--force",
                                       "--out", (own_ / "part.js").string()});
      EXPECT_EQ(outcome.code, 0) << outcome.err;
      return ReadFile(own_ / "part.js");
    };
    EXPECT_TRUE(exported(out()) == exported(run())) << part;
  }
  compare({"generate"}, "vae_z.png");
  compare({"reconstruct"}, "reconstructions.png");
}

TEST_F(TextModel, ResumesToTheSameBits) {
  ASSERT_EQ(Train(kAutoencoder, {"--set", "beta=0.5"}).code, 0);
  const auto resume = [&](const std::vector<std::string>& more) {
    return RunTool(std::vector<std::string>{"train", "--resume", out().string(), "--data", data().string()} + more);
  };
  const auto before = Contents(out());
  ExpectError(resume({"--hidden", "8"}), 2, "--resume and parameter hidden: got 8, expected 16 as in the run");
  ExpectError(resume({"--set", "beta=1"}), 2, "--resume and parameter beta: got 1, expected 0.5 as in the run");
  ExpectError(resume({"--set", "hiden=16"}), 2, "got the parameter 'hiden', expected one of ");
  const std::string edited = Edited(kAutoencoder, "x = Relu(", "x = Elu(");
  ExpectError(resume({"--model", edited}), 2,
              "line 16: got '    x = Elu(BatchNormalization(x, initializer = init))', expected '    x = Relu(");
  EXPECT_TRUE(Contents(out()) == before);

  const Outcome longer = resume({"--epochs", "3", "--hidden", "16", "--model", kAutoencoder});
  ASSERT_EQ(longer.code, 0) << longer.err;
  const std::filesystem::path whole = own_ / "whole";
  ASSERT_EQ(
      RunTool(Training({"--epochs", "3", "--model", kAutoencoder, "--set", "beta=0.5", "--out", whole.string()})).code,
      0);
  for (const char* file : {"model-24.safetensors", "model-24.state.safetensors"})
    EXPECT_TRUE(ReadFile(out() / file) == ReadFile(whole / file)) << file;
}

TEST_F(TextModel, OfTheCompiledNetworkIsAnotherRun) {
  ExpectError(RunTool({"train", "--resume", run().string(), "--data", data().string(), "--model", kAutoencoder}), 2,
              "--resume and --model: got ");
}

// ---- Other models --------------------------------------------------------------------------------------------------

TEST_F(TextModel, LearnsWithTheLikelihoodOfAnotherModel) {
  const std::string model = ModelPath("gaussian_autoencoder.weft");
  const Outcome outcome = Train(model, {"--epochs=12", "--json"});
  ExpectError(outcome, 2, "option given twice: --epochs");
  const Outcome trained = RunTool(Training({"--epochs", "12", "--model", model, "--json", "--out", out().string()}));
  ASSERT_EQ(trained.code, 0) << trained.err;
  const std::vector<std::string> lines = Lines(trained.out);
  const auto loss = [&](size_t epoch) {
    return json::parse(lines.at(epoch)).at("validation").at("negative_elbo").get<double>();
  };
  EXPECT_LT(loss(11), loss(0) - 100);
  EXPECT_THAT(VariablesIn(out() / "model-96.safetensors"), testing::Contains("Decoder/LogVariance []"));
  EXPECT_EQ(RunTool({"generate", "--from", out().string(), "--out", (own_ / "pictures").string()}).code, 0);
}

TEST_F(TextModel, IsWhatItsLinesSay) {
  const std::string edited = Edited(kAutoencoder, "x = Relu(BatchNormalization(x, initializer = init))", "x = Tanh(x)");
  ASSERT_EQ(Train(edited, {"--set", "layers=1"}).code, 0);
  EXPECT_EQ(VariablesIn(out() / "model-16.safetensors"),
            (std::vector<std::string>{"Decoder/FullyConnected/W [2, 16]", "Decoder/FullyConnected/b [16]",
                                      "Decoder/Logits/W [16, 784]", "Decoder/Logits/b [784]",
                                      "Encoder/FullyConnected/W [784, 16]", "Encoder/FullyConnected/b [16]",
                                      "Encoder/LogVariance/W [16, 2]", "Encoder/LogVariance/b [2]",
                                      "Encoder/Mean/W [16, 2]", "Encoder/Mean/b [2]"}));
}

// ---- Refusals ------------------------------------------------------------------------------------------------------

TEST_F(TextModel, IsRefusedWithItsPlace) {
  const auto lint = [](const std::vector<std::string>& more) {
    return RunTool(std::vector<std::string>{"lint"} + more);
  };
  const auto edited = [&](const std::string& from, const std::string& to) {
    return lint({"--model", Edited(kAutoencoder, from, to)});
  };
  ExpectError(
      edited("Exp(0.5", "Exq(0.5"), 4,
      "edited.weft, line 28, column 23: got 'Exq', expected a layer, an op or a block of the lines above. Did you "
      "mean 'Exp'?");
  ExpectError(edited("role noise", "role nois"), 4,
              "edited.weft: got no role 'noise', expected one. Did you mean 'nois'?");
  ExpectError(edited("role picture = Decoder/Mean", "role picture = Loss/Total"), 4,
              "role 'picture': got f32[], expected f32[N, 784]");
  ExpectError(lint({"--model", kAutoencoder, "--set", "dtype=f64"}), 4,
              "role 'input': got f64[N, 784], expected f32[N, 784]");
  ExpectError(lint({"--model", (own_ / "none.weft").string()}), 4, "none.weft");
  WriteFile(own_ / "long.weft", std::string(kMaxModelText + 1, '#'));
  ExpectError(lint({"--model", (own_ / "long.weft").string()}), 4, "expected a text of 1 to 65536");
  WriteFile(own_ / "empty.weft", "");
  ExpectError(lint({"--model", (own_ / "empty.weft").string()}), 4, "got no bytes");
  ExpectError(Train(kAutoencoder, {"--set", "pixels=100"}), 4, "role 'input': got f32[N, 100], expected f32[N, 784]");
  ExpectError(Train(kAutoencoder, {"--set", "latent=1e13"}), 7, "variational_autoencoder.weft, line 26, column 10: ");
  ExpectError(Train(kAutoencoder, {"--set", "latent=1e12"}), 7, "memory: model of beta=1 ");
  EXPECT_FALSE(std::filesystem::exists(out()));
}

TEST_F(TextModel, HasTheParametersOfItsText) {
  const auto lint = [](const std::vector<std::string>& more) {
    return RunTool(std::vector<std::string>{"lint"} + more);
  };
  const std::vector<std::string> model = {"--model", kAutoencoder};
  ExpectError(lint(model + std::vector<std::string>{"--set", "hiden=3"}), 2,
              "value: --set: " + kAutoencoder +
                  ": got the parameter 'hiden', expected one of beta, dtype, hidden, init, latent, layers, pixels. "
                  "Did you mean 'hidden'?");
  ExpectError(lint(model + std::vector<std::string>{"--set", "hidden=many"}), 2,
              "--set hidden: got 'many', expected a number");
  ExpectError(lint(model + std::vector<std::string>{"--set", "hidden"}), 2, "--set: got 'hidden', expected NAME=VALUE");
  ExpectError(lint(model + std::vector<std::string>{"--set", "hidden=3", "--set", "hidden=4"}), 2,
              "--set: got 'hidden' twice");
  ExpectError(lint(model + std::vector<std::string>{"--set", "hidden=3", "--hidden", "4"}), 2,
              "contradiction: --hidden and --set hidden: got both");
  ExpectError(lint({"--set", "hidden=3"}), 2, "contradiction: --set hidden: got it alone, expected --model");
  const std::string fixed = Edited(kAutoencoder, "parameter layers = 3", "layers = 3");
  ExpectError(lint({"--model", fixed, "--layers", "2"}), 2,
              "value: --layers: " + fixed + ": got the parameter 'layers', expected one of ");
  EXPECT_EQ(lint({"--model", fixed, "--hidden", "2"}).code, 0);
}

// The text in a checkpoint is from outside, too.
TEST_F(TextModel, InACheckpointIsReadWithCare) {
  ASSERT_EQ(Train(kAutoencoder).code, 0);
  const auto changed = [&](const std::function<void(Metadata&)>& change) {
    VariableStore variables;
    CheckpointSummary summary = Inspect(out() / "model-16.safetensors");
    for (const CheckpointSummary::Variable& variable : summary.variables)
      variables.Declare(variable.path, variable.dtype, variable.shape);
    Restore(out() / "model-16.safetensors", {}, variables);
    change(summary.metadata);
    Save(variables, own_ / "changed.safetensors", {.metadata = summary.metadata});
    return RunTool({"evaluate", "--from", (own_ / "changed.safetensors").string(), "--data", data().string()});
  };
  EXPECT_EQ(changed([](Metadata&) {}).code, 0);
  ExpectError(changed([](Metadata& m) { m["model text"] = "weft model 1\n?"; }), 4,
              "changed.safetensors, line 2, column 1: got '?', expected a statement");
  ExpectError(changed([](Metadata& m) { m["parameter.hidden"] = "many"; }), 4,
              "parameter 'hidden': got 'many', expected a number");
  ExpectError(changed([](Metadata& m) { m["parameter.hidden"] = "17"; }), 4, "nothing was restored");
  ExpectError(changed([](Metadata& m) { m["parameter.hidden"] = "100000"; }), 4, "model size");
  ExpectError(changed([](Metadata& m) { m["rows"] = "29"; }), 4, "expected f32[N, 812]");
}

}  // namespace
}  // namespace weft
