// Runs of the tool that are ended at random times, each followed by a look at what is left: shared by the everyday and
// the nightly tests. The run is tiny and writes a checkpoint after each step, so that most of its time is writing.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "weft/models/training/checkpoint_directory.h"
#include "weft/models/training/generation_index.h"
#include "weft/tests/examples/tool_test.h"

namespace weft {

class CrashingRun : public testing::Test {
 protected:
  static constexpr int64_t kEpochs = 6, kStepsPerEpoch = 5, kSteps = kEpochs * kStepsPerEpoch;

  // The uninterrupted run, with all its checkpoints, and how long it takes.
  void SetUp() override {
    std::filesystem::create_directory(own_ / "data");
    WriteSmallSplit(own_ / "data", "train", 8 * kStepsPerEpoch - 3, 4);
    WriteSmallSplit(own_ / "data", "t10k", 4, 4);
    Launch launch;
    const auto start = std::chrono::steady_clock::now();
    launch.watch = [&](const std::string& reports, pid_t) {
      const auto now = std::chrono::duration_cast<Microseconds>(std::chrono::steady_clock::now() - start);
      if (first_report_ == Microseconds{0}) first_report_ = last_report_ = now;
      if (std::ranges::count(reports, '\n') <= kEpochs) last_report_ = now;
    };
    const Outcome outcome = RunTool(New(whole(), {"--keep", "1000"}), launch);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    for (int64_t step = 1; step <= kSteps; ++step) reference_[step] = State(whole(), step);
  }

  std::vector<std::string> New(const std::filesystem::path& directory,
                               const std::vector<std::string>& more = {}) const {
    return std::vector<std::string>{
               "train",    "--out", directory.string(), "--epochs", std::to_string(kEpochs), "--hidden", "4",
               "--layers", "1",     "--batch",          "8",        "--validation",          "0"} +
           Free() + more;
  }
  std::vector<std::string> Resumed(const std::filesystem::path& directory,
                                   const std::vector<std::string>& more = {}) const {
    return std::vector<std::string>{"train", "--resume", directory.string()} + Free() + more;
  }

  static std::pair<std::string, std::string> State(const std::filesystem::path& directory, int64_t step) {
    const Generation generation = GenerationAt(directory, step);
    return {ReadFile(generation.weights), ReadFile(generation.state)};
  }

  std::filesystem::path whole() const { return own_ / "whole"; }
  std::filesystem::path out() const { return run_; }

  // Goes on with the run, or begins it where there is nothing yet.
  Outcome Start(const std::vector<TimedSignal>& signals = {}) {
    const std::vector<std::string> more = {"--keep", "2", "--threads", std::to_string(1 + random_() % 3)};
    Launch launch;
    launch.signals = signals;
    return RunTool(NewestStep() > 0 ? Resumed(out(), more) : New(out(), more), launch);
  }

  // 0: there is none.
  int64_t NewestStep() const {
    if (!std::filesystem::exists(out())) return 0;
    const LatestGeneration latest = LatestValid(out());
    return latest.generation ? latest.generation->step : 0;
  }

  // Whatever happened: the newest checkpoint is of `at_least` or later, and has the bits of the uninterrupted run.
  int64_t ExpectKept(int64_t at_least) const {
    const int64_t step = NewestStep();
    EXPECT_GE(step, at_least);
    if (step > 0) {
      EXPECT_TRUE(State(out(), step) == reference_.at(step)) << "step " << step;
    }
    return step;
  }

  // Nothing lies about but whole generations that are listed.
  void ExpectTidy() const {
    EXPECT_THAT(Temporaries(), testing::IsEmpty());
    std::set<std::string> listed, found;
    for (const Generation& generation : ListGenerations(out())) {
      listed.insert({generation.weights.filename(), generation.state.filename()});
    }
    for (const auto& entry : std::filesystem::directory_iterator(out())) {
      if (StepOf(entry.path().filename())) found.insert(entry.path().filename());
    }
    EXPECT_EQ(found, listed);
  }

  // The last step whose checkpoint the run must have written before it reported what it did: one epoch is reported
  // before the checkpoint of its last step is written.
  static int64_t Acknowledged(const Outcome& outcome) {
    const auto epochs = std::ranges::count(outcome.out, '\n');
    if (epochs == 0) return 0;
    const auto report = Lines(outcome.out)[static_cast<size_t>(epochs - 1)];
    return nlohmann::json::parse(report).value("step", kSteps + 1) - 1;
  }

  std::vector<std::string> Temporaries() const {
    std::vector<std::string> names;
    if (!std::filesystem::exists(out())) return names;
    for (const auto& entry : std::filesystem::directory_iterator(out())) {
      if (!TemporaryTarget(entry.path().filename().string()).empty()) names.push_back(entry.path().filename().string());
    }
    return names;
  }

  // Whether files tell that a checkpoint was being written: a temporary one, a generation that is not in the index, or
  // one that is not deleted yet.
  bool IsInsideAWrite() const {
    if (!std::filesystem::exists(out())) return false;
    const GenerationIndex index = ReadGenerationIndex(out());
    EXPECT_EQ(index.problem, "");
    const auto exists = [this](int64_t step) { return std::filesystem::exists(GenerationAt(out(), step).state); };
    return !Temporaries().empty() || ListGenerations(out()).size() > index.generations.size() ||
           std::ranges::any_of(index.dropped, exists);
  }

  // From a part of the time to the first report on, until ten steps behind it.
  Microseconds SomeTime(int part) {
    const Microseconds step = (last_report_ - first_report_) / (kSteps - kStepsPerEpoch);
    return Microseconds(
        std::uniform_int_distribution((first_report_ / part).count(), (first_report_ + 10 * step).count())(random_));
  }

  void KillAtRandomTimes(int kills);
  void SignalAtRandomTimes(int signals);

  TemporaryDirectory own_;
  std::filesystem::path run_ = own_ / "run";

 private:
  std::vector<std::string> Free() const {
    return {"--data", (own_ / "data").string(), "--json", "--checkpoint-steps", "1"};
  }

  std::map<int64_t, std::pair<std::string, std::string>> reference_;  // weights and state by step
  Microseconds first_report_{0}, last_report_{0};                     // of the uninterrupted run
  std::mt19937 random_{1};
};

inline void CrashingRun::KillAtRandomTimes(int kills) {
  int inside_a_write = 0, complete = 0, from_nothing = 0;
  int64_t kept = 0;
  for (int kill = 0; kill < kills && !HasFailure();) {
    SCOPED_TRACE("kill " + std::to_string(kill));
    from_nothing += kept == 0 ? 1 : 0;
    const Outcome outcome = Start({{.after = SomeTime(2), .signal = SIGKILL}});
    // The start has cleaned up what the one before it left.
    for (const std::string& name : Temporaries()) {
      if (!outcome.out.empty()) {
        EXPECT_THAT(name, testing::HasSubstr(".tmp-" + std::to_string(outcome.process) + "-"));
      }
    }
    const bool is_complete = outcome.code == 0;
    EXPECT_TRUE(is_complete || outcome.code == 256 + SIGKILL) << outcome.err;
    kept = ExpectKept(is_complete ? kSteps : std::max(kept, Acknowledged(outcome)));
    kill += is_complete ? 0 : 1;
    inside_a_write += !is_complete && IsInsideAWrite() ? 1 : 0;
    if (kept < kSteps) continue;
    if (is_complete) ExpectTidy();
    ++complete;  // all over again
    std::filesystem::remove_all(out());
    kept = 0;
  }
  std::cout << kills << " kills, " << inside_a_write << " inside a write, " << from_nothing << " starts from nothing, "
            << complete << " complete runs\n";
  EXPECT_GE(inside_a_write, kills * 3 / 10);
}

inline void CrashingRun::SignalAtRandomTimes(int signals) {
  int before_main = 0, at_once = 0, in_order = 0;
  Microseconds longest{0};
  int64_t kept = 0;
  for (int i = 0; i < signals && !HasFailure();) {
    SCOPED_TRACE("signal " + std::to_string(i));
    if (kept == kSteps) std::filesystem::remove_all(out()), kept = 0;  // all over again
    const std::vector<int> kinds = {SIGINT, SIGTERM, SIGHUP};
    const int signal = kinds[random_() % kinds.size()];
    std::vector<TimedSignal> sent = {{.after = SomeTime(4), .signal = signal}};
    const bool twice = i % 4 == 3;
    if (twice) sent.push_back({.after = sent[0].after + Microseconds(random_() % 3000), .signal = SIGINT});
    const Outcome outcome = Start(sent);
    kept = ExpectKept(std::max(kept, Acknowledged(outcome)));
    if (outcome.code == 0) continue;  // it was done before
    ++i;
    longest = std::max(longest, outcome.after_signal.value_or(Microseconds{0}));
    if (outcome.code == 256 + signal) {
      EXPECT_EQ(outcome.out + outcome.err, "") << "a signal ends the program itself only before it is loaded";
      ++before_main;
      continue;
    }
    const int code = signal == SIGINT ? 130 : 143;
    EXPECT_TRUE(outcome.code == code || (twice && outcome.code == 130)) << outcome.code << "\n" << outcome.err;
    const bool is_orderly = outcome.err.find(" is kept; ") != std::string::npos;
    ++(is_orderly ? in_order : at_once);
    if (!is_orderly) continue;
    ExpectTidy();
    EXPECT_THAT(outcome.err, testing::HasSubstr("model-" + std::to_string(kept) + ".safetensors is kept; "));
  }
  std::cout << signals << " signals: " << in_order << " ended in order, " << at_once << " at once, " << before_main
            << " before main; the longest took " << longest.count() << " us\n";
  EXPECT_LE(longest, std::chrono::seconds(2));
  EXPECT_GE(in_order, signals / 5);
}

}  // namespace weft
