// Whole runs on small data: what they report, the same bits however they come about, and how they end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include <nlohmann/json.hpp>

#include "weft/tests/examples/tool_test.h"

namespace weft {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class TrainingRun : public ToolTest {
 protected:
  std::filesystem::path out() const { return own_ / "run"; }
  // Both files of the newest checkpoint.
  static std::pair<std::string, std::string> State(const std::filesystem::path& directory, const std::string& step) {
    return {ReadFile(directory / ("model-" + step + ".safetensors")),
            ReadFile(directory / ("model-" + step + ".state.safetensors"))};
  }
};

TEST_F(TrainingRun, WritesWhatTheContractLists) {
  for (const char* name :
       {"model-8.safetensors", "model-8.state.safetensors", "model-16.safetensors", "model-16.state.safetensors",
  }
}

TEST_F(TrainingRun, ListsItsFilesAndShowsItsFacts) {
  const Outcome outcome = RunTool(Training({"--epochs", "1", "--out", out().string(), "--threads", "2"}));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  for (const std::string& line : Lines(outcome.out)) {
    EXPECT_TRUE(!line.starts_with("wrote ") || std::filesystem::exists(line.substr(6))) << line;
  }
  EXPECT_EQ(
      std::ranges::count_if(Lines(outcome.out), [](const std::string& line) { return line.starts_with("wrote "); }), 8);
  for (const char* fact : {"run         run in ", "250 training, 50 validation, 60 test images of 28 × 28",
                           "27,284 parameters", "2 threads", "FLOP", "bytes of arena", "epoch 1/1  loss "}) {
    EXPECT_THAT(outcome.err, HasSubstr(fact));
  }
}

TEST_F(TrainingRun, JsonHasTheKeysOfTheContract) {
  const Outcome outcome = RunTool(Training({"--epochs", "2", "--out", out().string(), "--json"}));
  const std::vector<std::string> lines = Lines(outcome.out);
  ASSERT_EQ(lines.size(), 3U) << outcome.err;
  for (size_t i = 0; i < 2; ++i) {
    const json epoch = json::parse(lines[i]);
    EXPECT_EQ(epoch.size(), 6U);
    EXPECT_EQ(epoch.at("epoch"), i + 1);
    EXPECT_EQ(epoch.at("step"), 8 * (i + 1));
    EXPECT_GT(epoch.at("seconds"), 0);
    EXPECT_GT(epoch.at("samples_per_second"), 0);
    for (const char* part : {"train", "validation"}) {
      const json& figures = epoch.at(part);
      EXPECT_EQ(figures.size(), 3U);
      EXPECT_NEAR(figures.at("negative_elbo").get<double>(),
                  figures.at("reconstruction").get<double>() + figures.at("kl").get<double>(), 1e-9);
    }
  }
  const json last = json::parse(lines[2]);
  EXPECT_GT(last.at("test").at("negative_elbo"), 0);
  EXPECT_EQ(last.at("files").size(), 10U);
}

TEST_F(TrainingRun, WithoutValidationTrainsOnAll) {
  const Outcome outcome = RunTool({"train", "--data", data().string(), "--hidden", "16", "--batch", "32",
                                   "--validation", "0", "--epochs", "1", "--out", out().string(), "--json"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(json::parse(Lines(outcome.out)[0]).at("validation").is_null());
  EXPECT_TRUE(std::filesystem::exists(out() / "model-10.safetensors")) << "300 images, 32 a step";
}

TEST_F(TrainingRun, EveryOptimizerAndInitialiserTrains) {
  for (const char* optimizer : {"adam", "adamw", "sgd", "momentum", "nesterov", "rmsprop", "adagrad"}) {
    const Outcome outcome = RunTool(Training({"--epochs", "1", "--optimizer", optimizer, "--latent", "1", "--init",
                                              "torch", "--clip-norm", "0", "--out", (own_ / optimizer).string()}));
    EXPECT_EQ(outcome.code, 0) << optimizer << ": " << outcome.err;
  }
  EXPECT_EQ(RunTool(Training({"--epochs", "1", "--init", "glorot", "--latent", "5", "--beta", "0.5", "--out",
                              (own_ / "glorot").string()}))
                .code,
            0);
}

TEST_F(TrainingRun, ConstantImagesTrain) {
  WriteSmallData(own_ / "data");
  for (const char* split : {"train", "t10k"}) {
    const std::filesystem::path file = own_ / "data" / (std::string(split) + "-images-idx3-ubyte");
    std::string content = ReadFile(file);
    std::fill(content.begin() + 16, content.end(), '\x80');
    WriteFile(file, content);
  }
  const Outcome outcome = RunTool({"train", "--data", (own_ / "data").string(), "--hidden", "16", "--batch", "32",
                                   "--validation", "50", "--epochs", "1", "--out", out().string()});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

// ---- The same bits
// ---------------------------------------------------------------------------------------------------

TEST_F(TrainingRun, BitsDoNotDependOnThreads) {
  for (const size_t threads : {1, 2, 3, 7}) {
    const std::filesystem::path directory = own_ / std::to_string(threads);
    // Wide enough that there is work for all.
    const Outcome outcome =
        RunTool({"train", "--data", data().string(), "--hidden", "128", "--batch", "64", "--validation", "50",
                 "--epochs", "2", "--threads", std::to_string(threads), "--out", directory.string()});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.threads, threads);
    EXPECT_EQ(State(directory, "8"), State(own_ / "1", "8")) << threads << " threads";
  }
}

TEST_F(TrainingRun, BitsDoNotDependOnTheRun) {
  EXPECT_EQ(RunTool(Training({"--epochs", "2", "--out", out().string()})).code, 0);
  EXPECT_EQ(State(out(), "16"), State(run(), "16"));
  EXPECT_EQ(RunTool(Training({"--epochs", "2", "--seed", "2", "--out", (own_ / "other").string()})).code, 0);
  EXPECT_NE(State(own_ / "other", "16").first, State(run(), "16").first);
}

// Sends `signal` as soon as the line of this epoch is out, so in the middle of a later one.
Launch SignalledAfterEpoch(int epoch, int signal) {
  Launch launch;
  launch.watch = [epoch, signal](const std::string& out, pid_t process) {
    if (std::ranges::count(out, '\n') == epoch) kill(process, signal);
  };
  return launch;
}

TEST_F(TrainingRun, KilledAndResumedEqualsUninterrupted) {
  const std::vector<std::string> options = {"--epochs", "40", "--keep", "3", "--json"};
  const Outcome whole = RunTool(Training(options + std::vector<std::string>{"--out", (own_ / "whole").string()}));
  ASSERT_EQ(whole.code, 0) << whole.err;

  const Outcome killed =
      RunTool(Training(options + std::vector<std::string>{"--out", out().string()}), SignalledAfterEpoch(3, SIGKILL));
  ASSERT_EQ(killed.code, 256 + SIGKILL);
  const Outcome resumed =
      RunTool({"train", "--resume", out().string(), "--data", data().string(), "--threads", "3", "--keep", "3"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("resume      step "));
  EXPECT_EQ(State(out(), "320"), State(own_ / "whole", "320"));
}

TEST_F(TrainingRun, SignalsWriteACheckpointThatGoesOn) {
  const std::vector<std::string> options = {"--epochs", "40", "--keep", "1", "--json"};
  ASSERT_EQ(RunTool(Training(options + std::vector<std::string>{"--out", (own_ / "whole").string()})).code, 0);
  const std::vector<std::pair<int, int>> signals = {{SIGINT, 130}, {SIGTERM, 143}};
  for (const auto& [signal, code] : signals) {
    const std::filesystem::path directory = own_ / std::to_string(code);
    const Outcome stopped = RunTool(Training(options + std::vector<std::string>{"--out", directory.string()}),
                                    SignalledAfterEpoch(2, signal));
    EXPECT_EQ(stopped.code, code) << stopped.err;
    EXPECT_THAT(
        Lines(stopped.err).back(),
        testing::MatchesRegex("vae: interrupted; .*model-[0-9]+.safetensors is kept; 'vae train --resume .*' goes on"));
    EXPECT_EQ(RunTool({"train", "--resume", directory.string(), "--data", data().string()}).code, 0);
    EXPECT_EQ(State(directory, "320"), State(own_ / "whole", "320"));
  }
}

// ---- Going on
// --------------------------------------------------------------------------------------------------------

TEST_F(TrainingRun, ResumeTakesTheOptionsOfTheRun) {
  std::filesystem::copy(run(), out());
  const auto before = Contents(out());
  const auto resume = [&](const std::vector<std::string>& more) {
    return RunTool(std::vector<std::string>{"train", "--resume", out().string(), "--data", data().string()} + more);
  };
  ExpectError(resume({"--batch", "64"}), 2, "--resume and --batch: got 64, expected 32 as in the run");
  ExpectError(resume({"--learning-rate", "0.01"}), 2, "--resume and --learning-rate");
  ExpectError(resume({"--seed", "7", "--batch", "32"}), 2, "--resume and --seed");
  ExpectError(resume({"--epochs", "1"}), 2, "--epochs: got 1, expected at least 2");
  ExpectError(resume({"--out", (own_ / "other").string()}), 2, "--resume and --out");
  EXPECT_EQ(Contents(out()), before);

  const Outcome longer = resume({"--epochs", "4", "--hidden", "16"});
  EXPECT_EQ(longer.code, 0) << longer.err;
  EXPECT_EQ(RunTool(Training({"--epochs", "4", "--out", (own_ / "four").string()})).code, 0);
  EXPECT_EQ(State(out(), "32"), State(own_ / "four", "32"));
}

TEST_F(TrainingRun, ResumeRefusesOtherImages) {
  std::filesystem::copy(run(), out());
  WriteSmallData(own_ / "data");
  std::string content = ReadFile(own_ / "data/train-images-idx3-ubyte");
  content.back() ^= 1;
  WriteFile(own_ / "data/train-images-idx3-ubyte", content);
  ExpectError(RunTool({"train", "--resume", out().string(), "--data", (own_ / "data").string()}), 3,
              "give the --data of the run");
}

TEST_F(TrainingRun, ResumeOfAFinishedRunDrawsAgain) {
  std::filesystem::copy(run(), out());
  EXPECT_EQ(RunTool({"train", "--resume", out().string(), "--data", data().string()}).code, 0);
  EXPECT_EQ(State(out(), "16"), State(run(), "16"));
}

// ---- What is not a number ------------------------------------------------------------------------------------------

TEST_F(TrainingRun, NamesTheFirstNodeThatIsNotFinite) {
  const Outcome outcome =
      RunTool(Training({"--epochs", "30", "--learning-rate", "1e6", "--out", out().string(), "--clip-norm", "0"}));
  ExpectError(outcome, 6, "not finite: step ");
  ExpectError(outcome, 6, "epoch ");
  ExpectError(outcome, 6, "node '");
  ExpectError(outcome, 6, "; operand '");
  // What is kept holds numbers only.
  for (const auto& [name, content] : Contents(out())) {
    if (name.ends_with(".safetensors")) {
      EXPECT_EQ(RunTool({"info", name}).code, 0) << name;
      EXPECT_THAT(outcome.err, HasSubstr(" is kept"));
    }
  }
}

}  // namespace
}  // namespace weft
