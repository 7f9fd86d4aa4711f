// Rows 79 to 82: numbers at the end of their range.
#include <cmath>

#include "weft/examples/vae/machine.h"
#include "weft/tests/examples/tool_test.h"
#include "weft/tests/inputs/rows.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

using Change = std::function<void(VariableStore&)>;

// A copy of the model with other weights, as {own}/changed.safetensors.
void SaveChanged(const Place& place, const Change& change) {
  VariableStore variables;
  const CheckpointSummary summary = Inspect(place.model);
  for (const auto& variable : summary.variables) variables.Declare(variable.path, variable.dtype, variable.shape);
  Restore(place.model, {}, variables);
  change(variables);
  Save(variables, place.own / "changed.safetensors", {.metadata = summary.metadata});
}

Change AllOf(const char* variable, float value) {
  return [variable, value](VariableStore& variables) {
    std::ranges::fill(variables.Find(variable)->value().values<float>(), value);
  };
}

ToolCase Extreme(std::string name, const Change& change, int code, std::string message) {
  return {.row = 81,
          .name = std::move(name),
          .arguments = {"evaluate", "--from", "{own}/changed.safetensors", "--data", "{data}"},
          .code = code,
          .message = std::move(message),
          .prepare = [change](const Place& place) { SaveChanged(place, change); }};
}

// Every weight is below the smallest normal number.
void MakeSubnormal(VariableStore& variables) {
  for (const Path& path : variables.Paths()) {
    for (float& value : variables.Find(path)->value().values<float>()) value = std::copysign(1e-39F, value);
  }
}

// One of the classes of targets that give the same bits: encodes with each target of this machine.
void ExpectSameBits(const Place& place) {
  std::map<bool, std::string> tables;  // by: has fused multiply-add
  for (const std::string& target : SimdTargets()) {
    const std::string out = (place.own / (target + ".npy")).string();
    const Outcome outcome = RunTool({"encode", "--from", (place.own / "changed.safetensors").string(), "--data",
                                     place.data.string(), "--target", target, "--out", out});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    const std::string table = ReadFile(out);
    const bool is_fused = target.starts_with("AVX");
    const auto [known, is_new] = tables.emplace(is_fused, table);
    EXPECT_TRUE(known->second == table) << target;
  }
  EXPECT_GE(tables.size(), 1U);
}

}  // namespace

std::vector<ToolCase> NumericRows() {
  std::vector<ToolCase> cases;
  cases.push_back({.row = 79,
                   .name = "a learning rate of 10⁶",
                   .arguments = {"train", "--data", "{data}", "--hidden", "16", "--batch", "32", "--validation", "50",
                                 "--epochs", "30", "--learning-rate", "1e6", "--clip-norm", "0", "--out", "{own}/out"},
                   .code = 6,
                   .message = "not finite: step …epoch …node '…; operand '…no variable was changed; ",
                   .check =
                       [](const Place& place) {  // what is kept holds numbers only
                         for (const auto& entry : fs::directory_iterator(place.own / "out")) {
                           const std::string file = entry.path().string();
                           if (!file.ends_with(".safetensors")) continue;
                           EXPECT_EQ(RunTool({"info", file}).code, 0) << file;
                         }
                       },
                   .writes = true});
  cases.push_back({.row = 80,
                   .name = "constant images",
                   .arguments = {"train", "--data", "{own}", "--hidden", "16", "--batch", "32", "--validation", "50",
                                 "--epochs", "1", "--out", "{own}/out"},
                   .message = "test: negative ELBO",
                   .prepare =
                       [](const Place& place) {
                         for (const auto& entry : fs::directory_iterator(place.data)) {
                           std::string content = ReadFile(entry.path());
                           if (entry.path().string().find("images") != std::string::npos)
                             std::fill(content.begin() + 16, content.end(), '\x80');
                           WriteFile(place.own / entry.path().filename(), content);
                         }
                       },
                   .writes = true});
  for (const float logits : {1e4F, -1e4F})
    cases.push_back(
        Extreme("logits of " + std::to_string(logits), AllOf("Decoder/Logits/b", logits), 0, "negative ELBO"));
  for (const float logits : {3e38F, -3e38F}) {
    cases.push_back(Extreme("logits of " + std::to_string(logits), AllOf("Decoder/Logits/b", logits), 6,
                            "node 'Loss/Reconstruction' (ReduceSum): not finite; operand '"));
  }
  cases.push_back(
      Extreme("a log-variance of 1000", AllOf("Encoder/LogVariance/b", 1e3F), 6, "node '…: not finite; operand '"));
  cases.push_back(Extreme("a log-variance of −1000", AllOf("Encoder/LogVariance/b", -1e3F), 0, "negative ELBO"));
  cases.push_back({.row = 82,
                   .name = "subnormal weights",
                   .arguments = {"evaluate", "--from", "{own}/changed.safetensors", "--data", "{data}"},
                   .message = "negative ELBO",
                   .prepare = [](const Place& place) { SaveChanged(place, MakeSubnormal); },
                   .check = ExpectSameBits,
                   .writes = true});
  return cases;
}

}  // namespace weft
