// Whole runs on small data: what they report, the same bits however they come about, and how they end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstring>

#include <nlohmann/json.hpp>

#include "weft/models/training/checkpoint_directory.h"
#include "weft/tests/examples/tool_test.h"

namespace weft {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class TrainingRun : public ToolTest {
 protected:
  std::filesystem::path out() const { return own_ / "run"; }
  // Both files of the checkpoint.
  static std::pair<std::string, std::string> State(const std::filesystem::path& directory, const std::string& step) {
    std::pair files(ReadFile(directory / ("model-" + step + ".safetensors")),
                    ReadFile(directory / ("model-" + step + ".state.safetensors")));
    EXPECT_FALSE(files.first.empty() || files.second.empty()) << directory << ", step " << step;
    return files;
  }
  // What lies behind the headers of both files after two epochs.
  static std::string Numbers(const std::filesystem::path& directory) {
    std::string numbers;
    const auto [weights, state] = State(directory, "16");
    for (const std::string& file : {weights, state}) {
      uint64_t header = 0;
      std::memcpy(&header, file.data(), sizeof(header));
      numbers += file.substr(sizeof(header) + header);
    }
    return numbers;
  }
};

TEST_F(TrainingRun, WritesWhatTheContractLists) {
  for (const char* name : {"model-8.safetensors", "model-8.state.safetensors", "model-16.safetensors",
                           "model-16.state.safetensors", "checkpoints.json", "vae_z.png", "vae_std.png", "samples.png",
                           "reconstructions.png", "latent.png", "latents.png", "curves.png", "history.csv"}) {
    EXPECT_TRUE(std::filesystem::exists(run() / name)) << name;
  }
}

TEST_F(TrainingRun, ListsItsFilesAndShowsItsFacts) {
  const Outcome outcome = RunTool(Training({"--epochs", "1", "--out", out().string(), "--threads", "2"}));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  for (const std::string& line : Lines(outcome.out)) {
    EXPECT_TRUE(!line.starts_with("wrote ") || std::filesystem::exists(line.substr(6))) << line;
  }
  EXPECT_EQ(
      std::ranges::count_if(Lines(outcome.out), [](const std::string& line) { return line.starts_with("wrote "); }),
      11);
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
  EXPECT_EQ(last.at("files").size(), 13U);
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
                                              "torch", "--out", (own_ / optimizer).string()}));
    EXPECT_EQ(outcome.code, 0) << optimizer << ": " << outcome.err;
  }
  EXPECT_EQ(RunTool(Training({"--epochs", "1", "--init", "glorot", "--latent", "5", "--beta", "0.5", "--clip-norm", "0",
                              "--out", (own_ / "glorot").string()}))
                .code,
            0);
}

// ---- The same bits -------------------------------------------------------------------------------------------------

TEST_F(TrainingRun, BitsDoNotDependOnThreads) {
  for (const size_t threads : {1U, 2U, 3U, 7U}) {
    const std::filesystem::path directory = own_ / std::to_string(threads);
    // Wide enough that there is work for all.
    const Outcome outcome =
        RunTool({"train", "--data", data().string(), "--hidden", "128", "--batch", "64", "--validation", "50",
                 "--epochs", "2", "--threads", std::to_string(threads), "--out", directory.string()});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    // TBB may start a thread in place of one that is about to lie down: more may exist than work at a time.
    EXPECT_GE(outcome.threads, threads);
    EXPECT_TRUE(threads > 1 || outcome.threads == 1) << outcome.threads;
    EXPECT_TRUE(State(directory, "8") == State(own_ / "1", "8")) << threads << " threads";
  }
}

TEST_F(TrainingRun, BitsDoNotDependOnTheRun) {
  EXPECT_EQ(RunTool(Training({"--epochs", "2", "--out", out().string()})).code, 0);
  EXPECT_TRUE(State(out(), "16") == State(run(), "16"));
  EXPECT_EQ(RunTool(Training({"--epochs", "2", "--seed", "2", "--out", (own_ / "other").string()})).code, 0);
  EXPECT_FALSE(State(own_ / "other", "16").first == State(run(), "16").first);
}

// A run of epochs without end, to which `signal` is sent once the results of two of them are out; then it goes on for
// two more epochs than are complete, and so does a run that nothing was sent to.
struct Interrupted {
  Outcome outcome;
  int64_t epochs;  // of the two runs
  std::string step;
};

class InterruptedRun : public TrainingRun {
 protected:
  Interrupted Interrupt(int signal) const {
    bool sent = false;
    const auto watch = [&](const std::string& text, pid_t process) {
      if (!sent && std::ranges::count(text, '\n') >= 2) sent = kill(process, signal) == 0;
    };
    Launch launch;
    launch.watch = watch;
    Outcome outcome =
        RunTool(Training({"--epochs", "1000000", "--keep", "2", "--json", "--out", out().string()}), launch);
    const int64_t epochs = LatestValid(out()).generation->epoch + 2;
    return {.outcome = std::move(outcome), .epochs = epochs, .step = std::to_string(8 * epochs)};
  }

  void ExpectSameAsUninterrupted(const Interrupted& interrupted) const {
    const std::string epochs = std::to_string(interrupted.epochs);
    const Outcome resumed =
        RunTool({"train", "--resume", out().string(), "--data", data().string(), "--threads", "3", "--epochs", epochs});
    EXPECT_EQ(resumed.code, 0) << resumed.err;
    EXPECT_THAT(resumed.err, HasSubstr("resume      step "));
    const std::filesystem::path whole = own_ / "whole";
    EXPECT_EQ(RunTool(Training({"--epochs", epochs, "--keep", "2", "--out", whole.string()})).code, 0);
    EXPECT_TRUE(State(out(), interrupted.step) == State(whole, interrupted.step));
    EXPECT_TRUE(ReadFile(out() / "curves.png") == ReadFile(whole / "curves.png")) << "the curves of all epochs";
    EXPECT_EQ(ReadFile(out() / "history.csv"), ReadFile(whole / "history.csv"));
  }
};

TEST_F(InterruptedRun, KilledAndResumedEqualsUninterrupted) {
  const Interrupted interrupted = Interrupt(SIGKILL);
  EXPECT_EQ(interrupted.outcome.code, 256 + SIGKILL);
  ExpectSameAsUninterrupted(interrupted);
}

TEST_F(InterruptedRun, SignalsWriteACheckpointThatGoesOn) {
  for (const auto& [signal, code] : {std::pair(SIGINT, 130), {SIGTERM, 143}, {SIGHUP, 143}}) {
    const Interrupted interrupted = Interrupt(signal);
    EXPECT_EQ(interrupted.outcome.code, code) << interrupted.outcome.err;
    EXPECT_THAT(
        Lines(interrupted.outcome.err).back(),
        testing::MatchesRegex("vae: interrupted; .*model-[0-9]+.safetensors is kept; 'vae train --resume .*' goes on"));
    ExpectSameAsUninterrupted(interrupted);
    std::filesystem::remove_all(out());
    std::filesystem::remove_all(own_ / "whole");
  }
}

// ---- Going on ------------------------------------------------------------------------------------------------------

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
  EXPECT_TRUE(Contents(out()) == before);

  const Outcome longer = resume({"--epochs", "4", "--hidden", "16"});
  EXPECT_EQ(longer.code, 0) << longer.err;
  EXPECT_EQ(RunTool(Training({"--epochs", "4", "--out", (own_ / "four").string()})).code, 0);
  EXPECT_TRUE(State(out(), "32") == State(own_ / "four", "32"));
}

TEST_F(TrainingRun, ResumeInOtherNumericsIsAskedFor) {
  const auto portable = [&](const std::vector<std::string>& more) {
    return RunTool(Training(std::vector<std::string>{"--numerics", "portable"} + more));
  };
  const auto resume = [&](const std::vector<std::string>& more) {
    return RunTool(
        std::vector<std::string>{"train", "--resume", out().string(), "--data", data().string(), "--epochs", "2"} +
        more);
  };
  ASSERT_EQ(portable({"--epochs", "1", "--out", out().string()}).code, 0);
  ASSERT_EQ(portable({"--epochs", "2", "--out", (own_ / "whole").string()}).code, 0);
  // The targets without fused multiply-add are there on every processor; SSE4 on all that run this test.
  ASSERT_EQ(RunTool(Training({"--target", "SSE4", "--epochs", "2", "--out", (own_ / "sse4").string()})).code, 0);
  EXPECT_TRUE(Numbers(own_ / "whole") == Numbers(own_ / "sse4"));
  EXPECT_EQ(Inspect(out() / "model-8.safetensors").metadata.at("numerics"), "1 no-fma");

  if (const Outcome version = RunTool({"--version"}); version.out.ends_with("numerics 1 fma\n")) {
    EXPECT_FALSE(Numbers(own_ / "whole") == Numbers(run()));
    const auto before = Contents(out());
    ExpectError(resume({"--numerics", "native"}), 4, "got '1 fma' on this machine, expected '1 no-fma' as in the run");
    EXPECT_TRUE(Contents(out()) == before);
    std::filesystem::copy(out(), own_ / "copy");
    const Outcome other = RunTool({"train", "--resume", (own_ / "copy").string(), "--data", data().string(), "--epochs",
                                   "2", "--numerics", "native", "--allow-different"});
    EXPECT_EQ(other.code, 0) << other.err;
    EXPECT_THAT(other.err,
                HasSubstr("different   resume: numerics: got '1 fma', expected '1 no-fma' as in the checkpoint"));
  }
  EXPECT_EQ(resume({}).code, 0) << "takes the numerics of the run";
  EXPECT_TRUE(State(out(), "16") == State(own_ / "whole", "16"));
  ExpectError(portable({"--allow-different"}), 2, "--allow-different: got it alone");
}

TEST_F(TrainingRun, ResumeRefusesOtherImages) {
  std::filesystem::copy(run(), out());
  WriteSmallData(own_ / "data");
  std::string content = ReadFile(own_ / "data/train-images-idx3-ubyte");
  content.back() ^= 1;
  WriteFile(own_ / "data/train-images-idx3-ubyte", content);
  ExpectError(RunTool({"train", "--resume", out().string(), "--data", (own_ / "data").string()}), 3,
              "give the --data of the run");
  const Outcome outcome = RunTool(
      {"train", "--resume", out().string(), "--data", (own_ / "data").string(), "--epochs", "3", "--allow-different"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("different   resume: data_checksum: got "));
}

TEST_F(TrainingRun, ResumeOfAFinishedRunDrawsAgain) {
  std::filesystem::copy(run(), out());
  std::filesystem::remove(out() / "curves.png");
  EXPECT_EQ(RunTool({"train", "--resume", out().string(), "--data", data().string()}).code, 0);
  EXPECT_TRUE(ReadFile(out() / "curves.png") == ReadFile(run() / "curves.png"));
  EXPECT_TRUE(State(out(), "16") == State(run(), "16"));
}

}  // namespace
}  // namespace weft
