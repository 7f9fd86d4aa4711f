// What `vae train` logs, read by others; and that it is the same training as without.
#include "weft/examples/vae/training_log.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weft/tests/examples/tool_test.h"
#include "weft/tests/interchange/read_events.h"

namespace weft {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

// Of one run of TensorBoard: values by tag, by step.
struct LoggedRun {
  std::vector<fs::path> files;
  std::map<std::string, std::map<int64_t, Json>> scalars, histograms, images, metadata;
  std::vector<Json> graphs, starts;
};

LoggedRun ReadRun(const fs::path& directory) {
  LoggedRun run;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().filename().string().starts_with("events.")) run.files.push_back(entry.path());
  }
  std::ranges::sort(run.files);
  const Json files = ReadEvents(run.files);
  for (const fs::path& file : run.files) {
    for (const Json& event : files[file.string()]) {
      const int64_t step = event.value("step", int64_t{0});
      if (event.contains("graph_def")) run.graphs.push_back(event["graph_def"]["node"]);
      if (event.contains("session_log")) run.starts.push_back(event);
      if (event.contains("tagged_run_metadata"))
        run.metadata[event["tagged_run_metadata"]["tag"].get<std::string>()][step] =
            event["tagged_run_metadata"]["run_metadata"];
      if (!event.contains("summary")) continue;
      for (const Json& value : event["summary"]["value"]) {
        const std::string tag = value["tag"];
        if (value.contains("simple_value")) run.scalars[tag][step] = value["simple_value"];
        if (value.contains("histo")) run.histograms[tag][step] = value["histo"];
        if (value.contains("image")) run.images[tag][step] = value["image"];
      }
    }
  }
  return run;
}

double Counted(const Json& histogram) {
  double count = 0;
  for (const double each : histogram["bucket"]) count += each;
  return count;
}

template <class Map>
std::set<std::string> Keys(const Map& map) {
  std::set<std::string> keys;
  for (const auto& [key, value] : map) keys.insert(key);
  return keys;
}

// The run of all tests, two epochs of 8 steps, once more with all logs.
class TrainingLogTest : public ToolTest {
 protected:
  static void SetUpTestSuite() {
    ToolTest::SetUpTestSuite();
    logged_ = new TemporaryDirectory;
    outcome_ = RunTool(Training({"--epochs", "2", "--json", "--threads", "2", "--out", (*logged_ / "run").string(),
                                 "--tensorboard", (*logged_ / "logs").string(), "--tensorboard-verbose", "3",
                                 "--tensorboard-steps", "3", "--trace", (*logged_ / "trace.json").string()}));
    ASSERT_EQ(outcome_.code, 0) << outcome_.err;
    steps_ = ReadRun(*logged_ / "logs/steps");
  }
  static void TearDownTestSuite() {
    delete logged_;
    logged_ = nullptr;
    ToolTest::TearDownTestSuite();
  }

  static inline TemporaryDirectory* logged_ = nullptr;
  static inline Outcome outcome_;
  static inline LoggedRun steps_;
};

TEST_F(TrainingLogTest, ChangesNoBitOfTheTraining) {
  const std::map<std::string, std::string> without = Contents(run());
  size_t compared = 0;
  for (const auto& [path, content] : without) {
    const fs::path name = fs::path(path).filename();
    if (name.extension() != ".safetensors" && name.extension() != ".png") continue;
    EXPECT_TRUE(ReadFile(*logged_ / "run" / name) == content) << name;
    ++compared;
  }
  EXPECT_GE(compared, 4U);
}

TEST_F(TrainingLogTest, MeansAreThoseOfTheHistory) {
  const LoggedRun training = ReadRun(*logged_ / "logs/training"), validation = ReadRun(*logged_ / "logs/validation");
  for (const auto& of : {std::pair(training, "train"), std::pair(validation, "validation")}) {
    const LoggedRun& run = of.first;
    EXPECT_THAT(Keys(run.scalars), testing::ElementsAre("Loss/KullbackLeibler", "Loss/Reconstruction", "Loss/Total"));
    EXPECT_EQ(run.scalars.at("Loss/Total").size(), 2U);
    for (const std::string& line : Lines(outcome_.out)) {
      const Json epoch = Json::parse(line);
      if (!epoch.contains("epoch")) continue;
      const Json& figures = epoch[of.second];
      const int64_t step = epoch["step"];
      EXPECT_EQ(run.scalars.at("Loss/Reconstruction").at(step).get<float>(), figures["reconstruction"].get<float>());
      EXPECT_EQ(run.scalars.at("Loss/KullbackLeibler").at(step).get<float>(), figures["kl"].get<float>());
    }
  }
}

TEST_F(TrainingLogTest, TheTableOfEpochsIsThatOfTheJsonLines) {
  std::vector<std::string> rows = {
      "epoch,training_negative_elbo,training_reconstruction,training_kl,validation_negative_elbo,"
      "validation_reconstruction,validation_kl"};
  for (const std::string& line : Lines(outcome_.out)) {
    const Json epoch = Json::parse(line);
    if (!epoch.contains("epoch")) continue;
    std::string row = epoch["epoch"].dump();
    for (const char* set : {"train", "validation"}) {
      for (const char* name : {"negative_elbo", "reconstruction", "kl"}) row += "," + epoch[set][name].dump();
    }
    rows.push_back(row);
  }
  EXPECT_EQ(rows.size(), 3U);
  EXPECT_EQ(Lines(ReadFile(*logged_ / "run/history.csv")), rows);
}

TEST_F(TrainingLogTest, EveryThirdStepIsLoggedFromTheFirstOn) {
  const auto steps = [](const auto& values) {
    std::vector<int64_t> keys;
    for (const auto& [step, value] : values) keys.push_back(step);
    return keys;
  };
  const std::vector<int64_t> expected = {1, 4, 7, 10, 13, 16};
  EXPECT_EQ(steps(steps_.scalars.at("Loss/Total")), expected);
  for (const auto& [tag, values] : steps_.histograms) EXPECT_EQ(steps(values), expected) << tag;
}

// A histogram counts each number of its tensor once; the weights are those of the last checkpoint.
TEST_F(TrainingLogTest, HistogramsCountWeightsGradientsAndActivations) {
  VariableStore variables;
  const CheckpointSummary summary = Inspect(model());
  size_t trainable = 0;
  for (const CheckpointSummary::Variable& variable : summary.variables) {
    variables.Declare(variable.path, variable.dtype, variable.shape);
    const std::string& name = variable.path.str();
    if (name.find("/moving_") != std::string::npos) continue;
    ++trainable;
    ASSERT_TRUE(steps_.histograms.contains(name)) << name;
    const auto count = static_cast<double>(ElementCount(variable.shape));
    for (const std::string& tag : {name, "Gradients/" + name}) {
      ASSERT_TRUE(steps_.histograms.contains(tag)) << tag;
      for (const auto& [step, histogram] : steps_.histograms.at(tag)) {
        EXPECT_EQ(Counted(histogram), count) << tag;
        EXPECT_EQ(histogram["num"], count) << tag;
      }
    }
    EXPECT_TRUE(steps_.scalars.contains("Gradients/" + name + "/Norm"));
  }
  EXPECT_GE(trainable, 20U);
  Restore(model(), {}, variables);
  const Tensor& weights = variables.Get("Decoder/Logits/W");
  const auto [low, high] = std::ranges::minmax(weights.values<float>());
  const Json last = steps_.histograms.at("Decoder/Logits/W").at(16);
  EXPECT_EQ(last["min"].get<float>(), low);
  EXPECT_EQ(last["max"].get<float>(), high);

  for (const auto& [step, batch] : {std::pair(1, 32), std::pair(16, 250 % 32)}) {  // the last batch is smaller
    EXPECT_EQ(Counted(steps_.histograms.at("Encoder/H").at(step)), batch * 16);
    EXPECT_EQ(Counted(steps_.histograms.at("Encoder/Mean").at(step)), batch * 2);
    EXPECT_EQ(Counted(steps_.histograms.at("Decoder/Mean").at(step)), batch * 784);
  }
  EXPECT_EQ(steps_.histograms.at("Encoder/H").at(1).value("min", 0.0), 0);
  const double sparsity = steps_.scalars.at("Encoder/H/Sparsity").at(1);
  EXPECT_GT(sparsity, 0.1);
  EXPECT_LT(sparsity, 0.9);
}

TEST_F(TrainingLogTest, TheNormOfAllGradientsIsThatOfTheirNorms) {
  for (const auto& [step, global] : steps_.scalars.at("Gradients/GlobalNorm")) {
    double squares = 0;
    for (const auto& [tag, values] : steps_.scalars) {
      if (tag.ends_with("/Norm")) squares += values.at(step).get<double>() * values.at(step).get<double>();
    }
    EXPECT_NEAR(std::sqrt(squares) / global.get<double>(), 1, 1e-5);
  }
}

TEST_F(TrainingLogTest, PicturesAreThereForEachEpoch) {
  for (const int64_t step : {8, 16}) {
    EXPECT_EQ(steps_.images.at("Decoder/Mean/Manifold").at(step)["picture"],
              Json({{"height", 420}, {"width", 420}, {"channels", 1}}));
    EXPECT_EQ(steps_.images.at("Decoder/Mean/Reconstructions").at(step)["picture"],
              Json({{"height", 168}, {"width", 448}, {"channels", 1}}));
  }
}

TEST_F(TrainingLogTest, TheGraphHasEachTimedNode) {
  ASSERT_EQ(steps_.graphs.size(), 1U);
  std::set<std::string> names;
  for (const Json& node : steps_.graphs[0]) names.insert(node["name"].get<std::string>());
  EXPECT_TRUE(names.contains("Encoder/SampleLatentVariable"));
  EXPECT_EQ(steps_.metadata.size(), 2U);  // an epoch each
  for (const auto& [tag, runs] : steps_.metadata) {
    for (const auto& [step, metadata] : runs) {
      EXPECT_EQ(tag, "step " + std::to_string(step));
      const Json& stats = metadata["step_stats"]["dev_stats"][0]["node_stats"];
      EXPECT_GT(stats.size(), 50U);
      for (const Json& node : stats) {
        EXPECT_TRUE(names.contains(node["node_name"].get<std::string>())) << node["node_name"];
        EXPECT_GE(node["all_end_rel_micros"], 1);
        EXPECT_GT(node["memory"][0]["total_bytes"], 0);
      }
    }
  }
}

TEST_F(TrainingLogTest, TheProjectorsFilesFitTogether) {
  const fs::path directory = *logged_ / "logs/steps";
  const std::string config = ReadFile(directory / "projector_config.pbtxt");
  for (const char* part : {"tensor_name: \"Encoder/Mean\"", "tensor_path: \"tensor.tsv\"",
                           "metadata_path: \"metadata.tsv\"", "image_path: \"sprite.png\"", "single_image_dim: 28"})
    EXPECT_THAT(config, testing::HasSubstr(part));
  ASSERT_EQ(
      RunTool({"encode", "--from", model().string(), "--data", data().string(), "--out", (own_ / "z.csv").string()})
          .code,
      0);
  const std::vector<std::string> table = Lines(ReadFile(own_ / "z.csv")),
                                 points = Lines(ReadFile(directory / "tensor.tsv")),
                                 labels = Lines(ReadFile(directory / "metadata.tsv"));
  ASSERT_EQ(points.size(), 60U);
  ASSERT_EQ(labels.size(), 60U);
  for (size_t i = 0; i < points.size(); ++i) {
    std::string point = points[i];
    std::ranges::replace(point, '\t', ',');
    EXPECT_TRUE(table[i + 1].starts_with(point + ",")) << table[i + 1] << " and " << point;
    EXPECT_TRUE(table[i + 1].ends_with("," + labels[i]));
  }
  const std::string sprite = ReadFile(directory / "sprite.png");
  EXPECT_EQ(sprite.substr(16, 8), std::string("\0\0\0\xE0\0\0\0\xE0", 8));  // 8 · 28 pixels on each side
}

TEST_F(TrainingLogTest, TheTraceIsOfTheSecondToTheSixthStep) {
  const Json document = Json::parse(ReadFile(*logged_ / "trace.json"));
  std::set<int> runs;
  for (const Json& event : document["traceEvents"]) {
    if (event.value("cat", "") == "run") runs.insert(event["args"]["run"].get<int>());
  }
  EXPECT_EQ(runs.size(), 5U);
}

TEST_F(TrainingLogTest, EveryFileIsListed) {
  std::set<std::string> listed;
  for (const std::string& line : Lines(outcome_.out)) {
    const Json files = Json::parse(line).value("files", Json::array());
    for (const Json& file : files) listed.insert(file.get<std::string>());
  }
  for (const auto& [path, content] : Contents(*logged_ / "logs")) EXPECT_TRUE(listed.contains(path)) << path;
  EXPECT_TRUE(listed.contains((*logged_ / "trace.json").string()));
}

// ---- Levels, resume, trouble ---------------------------------------------------------------------------------------

TEST_F(TrainingLogTest, EachLevelAddsToTheOneBefore) {
  for (const int level : {0, 1, 2}) {
    const fs::path logs = own_ / ("logs" + std::to_string(level));
    const Outcome outcome =
        RunTool(Training({"--epochs", "1", "--out", (own_ / ("run" + std::to_string(level))).string(), "--tensorboard",
                          logs.string(), "--tensorboard-verbose", std::to_string(level)}));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const LoggedRun run = ReadRun(logs / "steps");
    EXPECT_FALSE(run.scalars.at("Loss/Total").empty());
    EXPECT_EQ(run.scalars.contains("Gradients/GlobalNorm"), level >= 1);
    EXPECT_EQ(run.histograms.contains("Gradients/Encoder/Mean/W"), level >= 1);
    EXPECT_EQ(run.histograms.contains("Encoder/Mean/W"), level >= 2);
    EXPECT_FALSE(run.histograms.contains("Encoder/H"));
    EXPECT_TRUE(run.images.empty());
    EXPECT_EQ(run.graphs.size(), 1U);
    EXPECT_FALSE(fs::exists(logs / "steps/projector_config.pbtxt"));
  }
}

TEST_F(TrainingLogTest, ARunThatGoesOnLogsBehindItself) {
  const fs::path logs = own_ / "logs";
  const std::vector<std::string> log = {
      "--tensorboard", logs.string(), "--tensorboard-verbose", "1", "--tensorboard-steps", "1"};
  ASSERT_EQ(RunTool(Training({"--epochs", "1", "--out", (own_ / "run").string()}) + log).code, 0);
  ASSERT_EQ(RunTool(std::vector<std::string>{"train", "--data", data().string(), "--resume", (own_ / "run").string(),
                                             "--epochs", "2"} +
                    log)
                .code,
            0);
  const LoggedRun run = ReadRun(logs / "steps");
  EXPECT_EQ(run.files.size(), 2U);
  ASSERT_EQ(run.starts.size(), 1U);
  EXPECT_EQ(run.starts[0]["step"], 9);
  EXPECT_EQ(run.scalars.at("Loss/Total").size(), 16U);
  // The same gradients as of a run that was not interrupted: those of the steps that both have logged.
  EXPECT_EQ(run.scalars.at("Gradients/GlobalNorm").at(13), steps_.scalars.at("Gradients/GlobalNorm").at(13));
}

TEST_F(TrainingLogTest, ALogThatCannotBeWrittenEndsNoTraining) {
  const std::string whole = ReadFile(steps_.files.at(0));
  size_t largest = 0;
  for (const auto& [path, content] : Contents(run())) largest = std::max(largest, content.size());
  ASSERT_LT(largest, whole.size() / 2);
  const Outcome outcome =
      RunTool(Training({"--epochs", "2", "--out", (own_ / "run").string(), "--tensorboard", (own_ / "logs").string(),
                        "--tensorboard-verbose", "3", "--tensorboard-steps", "3"}),
              {.largest_file = whole.size() / 2});
  ExpectError(outcome, 5, "what was logged before is kept");
  EXPECT_THAT(outcome.err, testing::HasSubstr("training goes on without the log"));
  EXPECT_TRUE(ReadFile(own_ / "run/model-16.safetensors") == ReadFile(model()));
  EXPECT_GT(ReadRun(own_ / "logs/steps").histograms.size(), 10U);  // whole records
}

TEST_F(TrainingLogTest, NothingIsOverwritten) {
  WriteFile(own_ / "trace.json", "mine");
  ExpectError(RunTool(Training({"--out", (own_ / "run").string(), "--trace", (own_ / "trace.json").string()})), 5,
              "trace.json: got a file that exists");
  ExpectError(RunTool(Training({"--out", (own_ / "run").string(), "--tensorboard", own_.path().string()})), 5,
              "got a directory with 'trace.json' in it");
  ExpectError(RunTool(Training({"--out", (own_ / "run").string(), "--tensorboard-verbose", "2"})), 2,
              "missing: --tensorboard");
  ExpectError(RunTool(Training({"--tensorboard-verbose", "4"})), 2, "from 0 to 3");
  EXPECT_THAT(own_.Names(), testing::ElementsAre("trace.json"));
  EXPECT_EQ(ReadFile(own_ / "trace.json"), "mine");
}

}  // namespace
}  // namespace weft
