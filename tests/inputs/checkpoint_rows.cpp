// Rows 35 to 61: files that are no checkpoint, or another one. What is wrong within a file is listed beside the
// reader's own tests.
#include <fcntl.h>
#include <unistd.h>

#include <cmath>
#include <limits>

#include "weft/graph/runtime/safetensors.h"
#include "weft/tests/examples/tool_test.h"
#include "weft/tests/inputs/rows.h"
#include "weft/tests/support/bad_safetensors.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

using Change = std::function<void(VariableStore&, Metadata&)>;

// A copy of the model after `change`, as {own}/changed.safetensors.
std::function<void(const Place&)> Changed(const Change& change, const std::vector<std::string>& without = {}) {
  return [change, without](const Place& place) {
    VariableStore variables;
    CheckpointSummary summary = Inspect(place.model);
    for (const auto& variable : summary.variables) variables.Declare(variable.path, variable.dtype, variable.shape);
    Restore(place.model, {}, variables);
    change(variables, summary.metadata);
    Save(variables, place.own / "changed.safetensors",
         {.exclude = without, .metadata = summary.metadata, .allow_nonfinite = true});
  };
}

// The decoder of {own}/changed.safetensors, refused: nothing is drawn.
ToolCase OtherModel(int row, std::string name, const Change& change, std::string message, int code = 4,
                    const std::vector<std::string>& without = {}) {
  return {
      .row = row,
      .name = std::move(name),
      .arguments = {"generate", "--from", "{own}/changed.safetensors", "--data", "{data}", "--out", "{own}/pictures"},
      .code = code,
      .message = std::move(message),
      .prepare = Changed(change, without)};
}

void Nothing(VariableStore&, Metadata&) {}

std::vector<ToolCase> OtherModels() {
  std::vector<ToolCase> cases = {
      OtherModel(50, "a missing variable", Nothing,
                 "restore of 'Decoder': {own}/changed.safetensors: 1 missing: 'Decoder/BatchNormalization/moving_mean' "
                 "f32[16]; nothing was restored",
                 4, {"Decoder/BatchNormalization/moving_mean"}),
      OtherModel(50, "no variable of the scope", Nothing, "20 missing: 'Decoder/…and 15 more…; nothing was restored", 4,
                 {"Decoder/**"}),
      OtherModel(
          50, "one more variable",
          [](VariableStore& variables, Metadata&) { variables.Set("Decoder/Extra", Tensor(DType::kFloat32, {3})); },
          "1 unexpected: 'Decoder/Extra' f32[3]; nothing was restored"),
      OtherModel(
          53, "other sizes in the metadata", [](VariableStore&, Metadata& metadata) { metadata["hidden"] = "15"; },
          "node 'Decoder/H': {own}/changed.safetensors: got Relu f32[N, 16], expected Relu f32[N, 15]: it is another "
          "network; nothing was restored"),
      OtherModel(
          53, "another activation",
          [](VariableStore&, Metadata& metadata) { metadata["node.Decoder/H"] = "Tanh f32[N, 16]"; },
          "node 'Decoder/H': {own}/changed.safetensors: got Tanh f32[N, 16], expected Relu f32[N, 16]"),
      OtherModel(
          53, "a size that the file does not bear out",
          [](VariableStore&, Metadata& metadata) { metadata["hidden"] = "1000000"; },
          "model size: {own}/changed.safetensors: got …, expected …TB for latent 2, hidden 1000000"),
      OtherModel(
          53, "a size that is no number", [](VariableStore&, Metadata& metadata) { metadata["hidden"] = "0x10"; },
          "model size: {own}/changed.safetensors: value: hidden: got '0x10'"),
  };
  for (const auto& [name, value] :
       {std::pair("nan", std::numeric_limits<float>::quiet_NaN()), {"-inf", -std::numeric_limits<float>::infinity()}}) {
    cases.push_back(OtherModel(
        54, name,
        [value = value](VariableStore& variables, Metadata&) {
          variables.Find("Decoder/Logits/b")->value().values<float>()[7] = value;
        },
        std::string("variable 'Decoder/Logits/b': got ") + name + " at index 7, expected a finite number", 6));
  }
  // As many bytes, another meaning.
  ToolCase transposed =
      OtherModel(52, "a transposed matrix", Nothing,
                 "1 mismatched: 'Decoder/Logits/W': got f32[784, 16], expected f32[16, 784]; nothing was restored");
  transposed.prepare = [](const Place& place) {
    const CheckpointSummary summary = Inspect(place.model);
    VariableStore variables;
    for (const auto& variable : summary.variables) {
      const bool is_transposed = variable.path == Path("Decoder/Logits/W");
      variables.Set(variable.path, Tensor(variable.dtype, is_transposed ? Shape{784, 16} : variable.shape));
    }
    Save(variables, place.own / "changed.safetensors", {.metadata = summary.metadata});
  };
  cases.push_back(transposed);
  return cases;
}

// ---- Generations ---------------------------------------------------------------------------------------------------

void Damage(const fs::path& file) {
  std::string content = ReadFile(file);
  content[content.size() - 9] ^= 0x10;
  WriteFile(file, content);
}

// The run copied to {own}/run, with those steps damaged.
std::function<void(const Place&)> RunWith(const std::vector<int>& damaged) {
  return [damaged](const Place& place) {
    fs::copy(place.run, place.own / "run");
    for (const int step : damaged) Damage(place.own / "run" / ("model-" + std::to_string(step) + ".safetensors"));
  };
}

std::vector<ToolCase> Generations() {
  const auto evaluate = [](const char* from) {
    return std::vector<std::string>{"evaluate", "--from", from, "--data", "{data}"};
  };
  const std::string sums =
      "checksum of tensor '…': {own}/run/model-16.safetensors: got …, expected …: the data was changed or damaged";
  return {
      {.row = 55,
       .name = "a wrong checksum",
       .arguments = evaluate("{own}/run/model-16.safetensors"),
       .code = 4,
       .message = sums,
       .prepare = RunWith({16})},
      {.row = 56,
       .name = "the newest is damaged, an older one is whole",
       .arguments = evaluate("{own}/run"),
       .message = "negative ELBO…skipped " + sums + "…restored …from {own}/run/model-8.safetensors",
       .prepare = RunWith({16})},
      {.row = 57,
       .name = "all are damaged",
       .arguments = evaluate("{own}/run"),
       .code = 4,
       .message = "checkpoint: {own}/run: got none that is whole, expected one: " + sums + "…model-8.safetensors: got",
       .prepare = RunWith({8, 16})},
      {.row = 57,
       .name = "all are damaged, for --resume",
       .arguments = {"train", "--resume", "{own}/run", "--data", "{data}", "--epochs", "3"},
       .code = 4,
       .message = "got none that is whole",
       .prepare = RunWith({8, 16})},
      {.row = 57,
       .name = "there is none",
       .arguments = evaluate("{own}"),
       .code = 4,
       .message = "checkpoint: {own}: got no model-STEP.safetensors, expected at least one"},
      {.row = 58,
       .name = "a newer index",
       .arguments = evaluate("{own}/run"),
       .code = 4,
       .message = "index: {own}/run/checkpoints.json: format version: got 2, expected 1",
       .prepare =
           [](const Place& place) {
             RunWith({})(place);
             WriteFile(place.own / "run/checkpoints.json", R"({"format": 2, "news": []})");
           }},
      {.row = 58,
       .name = "a newer file",
       .arguments = {"info", "{own}/file"},
       .code = 4,
       .message = "format version: {own}/file: got 2, expected 1: it was written by another version",
       .prepare =
           [](const Place& place) {
             const Tensor zero = Tensor::Scalar(0.0F);
             const SafetensorsItem item("A", &zero);
             WriteSafetensors(FileSystem(), place.own / "file", {&item, 1}, {{"weft_format", "2"}});
           }},
  };
}

// ---- Links ---------------------------------------------------------------------------------------------------------

ToolCase Linked(std::string name, const fs::path& target, int code, std::string message) {
  return {.row = 60,
          .name = std::move(name),
          .arguments = {"info", "{own}/link"},
          .code = code,
          .message = std::move(message),
          .prepare = [target](const Place& place) {
            fs::create_symlink(target.empty() ? place.model : target, place.own / "link");
          }};
}

// Encodes to {own}/a.csv, which is a link, symbolic or hard, to {own}/b.csv.
ToolCase WrittenThrough(std::string name, void (*link)(const fs::path& to, const fs::path& at)) {
  return {.row = 60,
          .name = std::move(name),
          .arguments = {"encode", "--from", "{model}", "--data", "{data}", "--out", "{own}/a.csv", "--force"},
          .message = "wrote {own}/a.csv",
          .prepare =
              [link](const Place& place) {
                WriteFile(place.own / "b.csv", "mine");
                link(place.own / "b.csv", place.own / "a.csv");
              },
          .check =
              [](const Place& place) {
                EXPECT_EQ(ReadFile(place.own / "b.csv"), "mine");
                EXPECT_FALSE(fs::is_symlink(place.own / "a.csv"));
                EXPECT_GT(fs::file_size(place.own / "a.csv"), 1000U);
              },
          .writes = true};
}

}  // namespace

std::vector<ToolCase> CheckpointRows() {
  std::vector<ToolCase> cases;
  for (const BadSafetensors& file : AllBadSafetensors()) {
    std::string message = file.message;
    if (const size_t gap = message.find("…: "); gap != std::string::npos)
      message.replace(gap, std::string("…").size(), "{own}/file");
    cases.push_back({.row = file.row,
                     .name = file.name,
                     .arguments = {"info", "{own}/file"},
                     .code = 4,
                     .message = message,
                     .prepare = [bytes = file.bytes](const Place& place) { WriteFile(place.own / "file", bytes); }});
  }
  const auto accepted = [&cases](int row, std::string name, const std::string& bytes, std::string message) {
    cases.push_back({.row = row,
                     .name = std::move(name),
                     .arguments = {"info", "{own}/file"},
                     .message = std::move(message),
                     .prepare = [bytes](const Place& place) { WriteFile(place.own / "file", bytes); }});
  };
  const std::string a = TensorJson("A", "[2]", "[0,8]"), b = TensorJson("B", "[2]", "[8,16]");
  accepted(37, "spaces behind the header", SafetensorsBytes("{" + a + "}    ", std::string(8, '\0')),
           "variable     A f32[2]");
  accepted(41, "an empty tensor at a border", ZerosFile({a, TensorJson("Z", "[0]", "[8,8]"), b}, 16),
           "variable     Z f32[0]");
  accepted(49, "a name is never a path", ZerosFile({TensorJson("../../etc/passwd", "[2]", "[0,8]")}, 8),
           "variable     ../../etc/passwd f32[2]");
  accepted(55, "a file without checksums", ZerosFile({a}, 8), "checksums    none: nothing could be verified");
  std::string million = "{";
  for (int i = 0; i < 1'000'000; ++i)
    million += (i == 0 ? "" : ",") + TensorJson("T" + std::to_string(i), "[0]", "[0,0]");
  const auto with_header = [&cases](std::string name, const std::string& header, std::string message) {
    cases.push_back(
        {.row = 48,
         .name = std::move(name),
         .arguments = {"info", "{own}/file"},
         .code = 4,
         .message = std::move(message),
         .prepare = [header](const Place& place) { WriteFile(place.own / "file", SafetensorsBytes(header, "")); }});
  };
  with_header("a million tensors of nothing", million + "}", "header length: {own}/file: got 5");
  with_header("more tensors than the limit, in a header that is not",
              million.substr(0, million.find(",\"T100001\"")) + "}",
              "header: {own}/file: got more than 100000 tensors, the limit");
  for (const auto& more : {OtherModels(), Generations()}) cases.insert(cases.end(), more.begin(), more.end());
  cases.push_back(Linked("a link to a checkpoint", "", 0, "variables    42 with"));
  cases.push_back(Linked("a link to nothing", "nowhere", 5, "read: {own}/link: cannot open it: No such file"));
  cases.push_back(Linked("a loop of links", "link", 5, "Too many levels of symbolic links [{own}/link]"));
  cases.push_back(
      Linked("a link to a device", "/dev/zero", 4, "file: {own}/link: got a device, expected a regular file"));
  cases.push_back(WrittenThrough("a symbolic link is replaced",
                                 [](const fs::path& to, const fs::path& at) { fs::create_symlink(to, at); }));
  cases.push_back(WrittenThrough("a hard link is replaced",
                                 [](const fs::path& to, const fs::path& at) { fs::create_hard_link(to, at); }));
  return cases;
}

}  // namespace weft
