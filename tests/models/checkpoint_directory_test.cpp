// Whatever happens while a generation is written, one that was acknowledged can be restored; and only what the index
// names is ever deleted.
#include "weft/models/training/checkpoint_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <iostream>
#include <random>
#include <system_error>

#include "weft/graph/error.h"
#include "weft/models/training/generation_index.h"
#include "weft/tests/support/faulty_file_system.h"
#include "weft/tests/support/temporary_directory.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A model whose numbers tell the step that they are of.
void SetTo(VariableStore& store, int64_t step) {
  const auto number = static_cast<float>(step);
  store.Set("Encoder/W", Tensor::Of<float>({2}, {number, 1}));
  store.Set("TrainingData", Tensor::Scalar(number));  // not below Training/
  store.Set("Training/Adam/M/Encoder/W", Tensor::Of<float>({2}, {number, 2}));
  store.Set("Training/Step", Tensor::Scalar<int64_t>(step));
}

void WriteStep(CheckpointDirectory& checkpoints, int64_t step, std::optional<double> loss = {}) {
  VariableStore store;
  SetTo(store, step);
  checkpoints.Write(
      store,
      {.step = step, .epoch = step / 10, .loss = loss, .metadata = {{"model", "vae"}}, .progress = {{"seed", "7"}}});
}

std::vector<int64_t> Steps(const std::vector<Generation>& generations) {
  std::vector<int64_t> steps;
  for (const Generation& generation : generations) steps.push_back(generation.step);
  return steps;
}

// The step of the newest valid generation; −1 without one. Its numbers must be those of the step.
int64_t LatestStep(const std::filesystem::path& directory) {
  const LatestGeneration latest = LatestValid(directory);
  if (!latest.generation) return -1;
  VariableStore expected, store;
  SetTo(expected, latest.generation->step);
  for (const Path& path : expected.Paths()) store.Declare(path, expected.Get(path).dtype(), expected.Get(path).shape());
  RestoreGeneration(*latest.generation, store);
  for (const Path& path : expected.Paths()) EXPECT_EQ(store.Get(path), expected.Get(path)) << path.str();
  return latest.generation->step;
}

std::string WeightsName(int64_t step) { return "model-" + std::to_string(step) + ".safetensors"; }
std::string StateName(int64_t step) { return "model-" + std::to_string(step) + ".state.safetensors"; }

void FlipLastBit(const std::filesystem::path& file) {
  std::string bytes = ReadFile(file);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  WriteFile(file, bytes);
}

TEST(CheckpointDirectory, WritesWeightsStateAndIndex) {
  const TemporaryDirectory directory;
  CheckpointDirectory checkpoints(directory.path());
  WriteStep(checkpoints, 430, 104.25);
  EXPECT_THAT(directory.Names(), ElementsAre("checkpoints.json", "checkpoints.lock", WeightsName(430), StateName(430)));
  const CheckpointSummary weights = Inspect(directory / WeightsName(430)), state = Inspect(directory / StateName(430));
  EXPECT_THAT(weights.variables, ElementsAre(testing::Field(&CheckpointSummary::Variable::path, Path("Encoder/W")),
                                             testing::Field(&CheckpointSummary::Variable::path, Path("TrainingData"))));
  EXPECT_EQ(state.variables.size(), 2u);
  EXPECT_EQ(weights.metadata, (Metadata{{"step", "430"}, {"epoch", "43"}, {"loss", "104.25"}, {"model", "vae"}}));
  EXPECT_EQ(
      state.metadata,
      (Metadata{
          {"step", "430"}, {"epoch", "43"}, {"loss", "104.25"}, {"seed", "7"}, {"weights", weights.fingerprint}}));
  EXPECT_THAT(ReadFile(directory / "checkpoints.json"), HasSubstr("\"best\": 430"));
}

TEST(CheckpointDirectory, RestoresTheLatestWithItsProgress) {
  const TemporaryDirectory directory;
  CheckpointDirectory checkpoints(directory.path());
  WriteStep(checkpoints, 10, 3.5);
  WriteStep(checkpoints, 20);
  EXPECT_EQ(LatestStep(directory.path()), 20);
  const LatestGeneration latest = LatestValid(directory.path());
  EXPECT_EQ(latest.generation->epoch, 2);
  EXPECT_EQ(latest.generation->loss, std::nullopt);
  EXPECT_THAT(latest.skipped, IsEmpty());
  VariableStore store;
  SetTo(store, 0);
  EXPECT_EQ(RestoreGeneration(*latest.generation, store).at("seed"), "7");
}

TEST(CheckpointDirectory, AStoreWithoutTrainingVariablesIsKeptToo) {
  const TemporaryDirectory directory;
  CheckpointDirectory checkpoints(directory.path());
  VariableStore store;
  store.Set("W", Tensor::Scalar(1.0f));
  checkpoints.Write(store, {.step = 1, .progress = {{"seed", "7"}}});
  store.Set("W", Tensor::Scalar(2.0f));
  EXPECT_EQ(RestoreGeneration(*LatestValid(directory.path()).generation, store).at("seed"), "7");
  EXPECT_EQ(store.Get("W"), Tensor::Scalar(1.0f));
}

TEST(CheckpointDirectory, RestoringIsAllOrNothingOverBothFiles) {
  const TemporaryDirectory directory;
  CheckpointDirectory checkpoints(directory.path());
  WriteStep(checkpoints, 10);
  VariableStore store;
  SetTo(store, 99);
  store.Declare("Training/Extra", DType::kFloat32, {});
  EXPECT_THAT(Thrown<CheckpointError>([&] { RestoreGeneration(checkpoints.List()[0], store); }),
              AllOf(HasSubstr(StateName(10)), HasSubstr("1 missing: 'Training/Extra' f32[]")));
  EXPECT_EQ(store.Get("Encoder/W"), Tensor::Of<float>({2}, {99, 1}));
}

TEST(CheckpointDirectory, KeepsTheLastAndTheBest) {
  const struct {
    KeepPolicy policy;
    std::vector<double> losses;  // of the steps 1, 2, 3 …
    std::vector<int64_t> kept;
    std::optional<int64_t> best;
  } rows[] = {
      {{.keep = 2}, {5, 4, 3, 2, 1}, {4, 5}, 5},
      {{.keep = 2}, {5, 1, 3, 2, 4}, {2, 4, 5}, 2},
      {{.keep = 2}, {5, 1, 3, 0.5, 4, 4, 4}, {4, 6, 7}, 4},
      {{.keep = 2, .keep_best = false}, {1, 2, 3, 5, 4}, {4, 5}, 5},
      {{.keep = 1}, {1, 2, 3}, {1, 3}, 1},
      {{.keep = 3}, {7, 7, 7, 7, 7}, {1, 3, 4, 5}, 1},
      {{.keep = 2}, {NAN, INFINITY, -INFINITY, NAN}, {3, 4}, std::nullopt},
      {{}, {1, 2, 3}, {1, 2, 3}, 1},
  };
  for (const auto& row : rows) {
    const TemporaryDirectory directory;
    CheckpointDirectory checkpoints(directory.path(), row.policy);
    int64_t step = 0;
    for (double loss : row.losses) WriteStep(checkpoints, ++step, loss);
    EXPECT_EQ(Steps(checkpoints.List()), row.kept);
    EXPECT_EQ(Steps(ListGenerations(directory.path())), row.kept);
    EXPECT_EQ(checkpoints.Best() ? std::optional(checkpoints.Best()->step) : std::nullopt, row.best);
    std::set<std::string> names = {"checkpoints.json", "checkpoints.lock"};
    for (int64_t kept : row.kept) names.insert({WeightsName(kept), StateName(kept)});
    EXPECT_EQ(directory.Names(), names);
  }
}

TEST(CheckpointDirectory, GoesOnAfterARestart) {
  const TemporaryDirectory directory;
  for (int64_t step = 1; step <= 6; ++step) {
    CheckpointDirectory checkpoints(directory.path(), {.keep = 2});
    WriteStep(checkpoints, step, step == 2 ? 1.0 : 5.0);
  }
  const std::vector<Generation> generations = ListGenerations(directory.path());
  EXPECT_THAT(Steps(generations), ElementsAre(2, 5, 6));
  EXPECT_EQ(generations[0].loss, 1.0);
  EXPECT_EQ(generations[2].epoch, 0);
}

TEST(CheckpointDirectory, DeletesOnlyWhatTheIndexNames) {
  const TemporaryDirectory directory;
  const char* const foreign[] = {"model-0.safetensors", "model-best.safetensors", "model-01.safetensors",
                                 "notes.txt",           ".notes.tmp-1-0",         "model-2.safetensors.bak"};
  for (const char* name : foreign) WriteFile(directory / name, "mine");
  {
    CheckpointDirectory checkpoints(directory.path(), {.keep = 1});
    for (int64_t step = 1; step <= 3; ++step) WriteStep(checkpoints, step);
  }
  CheckpointDirectory checkpoints(directory.path(), {.keep = 1});
  checkpoints.DeleteAfter(-1);
  std::set<std::string> names(std::begin(foreign), std::end(foreign));
  names.insert({"checkpoints.json", "checkpoints.lock"});
  EXPECT_EQ(directory.Names(), names);
  for (const char* name : foreign) EXPECT_EQ(ReadFile(directory / name), "mine");
}

TEST(CheckpointDirectory, StepsMustRise) {
  const TemporaryDirectory directory;
  CheckpointDirectory checkpoints(directory.path());
  WriteStep(checkpoints, 20);
  const std::string before = ReadFile(directory / WeightsName(20));
  WriteStep(checkpoints, 20);  // the one that was just written, again
  EXPECT_EQ(ReadFile(directory / WeightsName(20)), before);
  for (int64_t step : {int64_t{19}, int64_t{0}, int64_t{-1}}) {
    EXPECT_THAT(Thrown([&] { WriteStep(checkpoints, step); }),
                HasSubstr("expected a step above 20, the newest in " + directory.path().string()));
  }
  checkpoints.DeleteAfter(10);
  WriteStep(checkpoints, 15);
  EXPECT_THAT(Steps(checkpoints.List()), ElementsAre(15));
}

TEST(CheckpointDirectory, DeleteAfterGivesUpAnAbandonedFuture) {
  const TemporaryDirectory directory;
  CheckpointDirectory checkpoints(directory.path());
  for (int64_t step = 1; step <= 5; ++step) WriteStep(checkpoints, step);
  checkpoints.DeleteAfter(3);
  EXPECT_THAT(Steps(ListGenerations(directory.path())), ElementsAre(1, 2, 3));
  EXPECT_EQ(LatestStep(directory.path()), 3);
  WriteStep(checkpoints, 4);
  EXPECT_EQ(LatestStep(directory.path()), 4);
}

TEST(CheckpointDirectory, IsUsedByOneAtATime) {
  const TemporaryDirectory directory;
  {
    CheckpointDirectory checkpoints(directory.path());
    EXPECT_THAT(Thrown<std::system_error>([&] { CheckpointDirectory(directory.path()); }),
                HasSubstr("uses the directory"));
    EXPECT_THAT(ListGenerations(directory.path()), IsEmpty());  // readers need no lock
  }
  EXPECT_NO_THROW(CheckpointDirectory(directory.path()));
}

TEST(CheckpointDirectory, RefusesNonsense) {
  const TemporaryDirectory directory;
  EXPECT_THAT(Thrown([&] { CheckpointDirectory(directory.path(), {.keep = 0}); }),
              HasSubstr("keep: got 0, expected at least 1"));
  EXPECT_THAT(Thrown<std::system_error>([&] { CheckpointDirectory(directory / "missing"); }),
              HasSubstr("No such file or directory"));
  EXPECT_THAT(Thrown<std::system_error>([&] { LatestValid(directory / "missing"); }),
              HasSubstr("No such file or directory"));
}

TEST(CheckpointDirectory, NumbersThatAreNotFiniteAreNoCheckpoint) {
  const TemporaryDirectory directory;
  CheckpointDirectory checkpoints(directory.path());
  WriteStep(checkpoints, 1);
  VariableStore store;
  SetTo(store, 2);
  store.Set("Training/Adam/M/Encoder/W", Tensor::Of<float>({2}, {NAN, 2}));
  EXPECT_THAT(Thrown<NumericError>([&] { checkpoints.Write(store, {.step = 2}); }),
              HasSubstr("'Training/Adam/M/Encoder/W': got nan at index 0"));
  EXPECT_THAT(directory.Names(), ElementsAre("checkpoints.json", "checkpoints.lock", WeightsName(1), StateName(1)));
}

TEST(CheckpointDirectory, DeletesDeadTemporariesOfItsOwn) {
  const TemporaryDirectory directory;
  const std::string own[] = {"." + WeightsName(7) + ".tmp-1-0", "." + StateName(7) + ".tmp-99999999-3",
                             ".checkpoints.json.tmp-1-0"};
  const std::string other[] = {".other.safetensors.tmp-1-0", WeightsName(7) + ".tmp-1-0"};
  for (const std::string& name : own) WriteFile(directory / name, "x");
  for (const std::string& name : other) WriteFile(directory / name, "x");
  CheckpointDirectory checkpoints(directory.path());
  EXPECT_THAT(directory.Names(), ElementsAre(other[0], "checkpoints.lock", other[1]));
}

TEST(LatestValid, SkipsWhatIsDamagedAndSaysWhy) {
  const struct {
    const char* message;
    std::function<void(const TemporaryDirectory&)> damage;  // of step 30
  } rows[] = {
      {"checksum of tensor 'TrainingData'", [](const TemporaryDirectory& d) { FlipLastBit(d / WeightsName(30)); }},
      {"checksum of tensor 'Training/", [](const TemporaryDirectory& d) { FlipLastBit(d / StateName(30)); }},
      {"model-30.safetensors: cannot open it",
       [](const TemporaryDirectory& d) { std::filesystem::remove(d / WeightsName(30)); }},
      {"model-30.state.safetensors: cannot open it",
       [](const TemporaryDirectory& d) { std::filesystem::remove(d / StateName(30)); }},
      {"header length", [](const TemporaryDirectory& d) { std::filesystem::resize_file(d / WeightsName(30), 5); }},
      {"step: ",
       [](const TemporaryDirectory& d) {
         std::filesystem::copy_file(d / WeightsName(20), d / WeightsName(30),
                                    std::filesystem::copy_options::overwrite_existing);
       }},
      {"state: ",
       [](const TemporaryDirectory& d) {
         VariableStore store;
         SetTo(store, 31);
         Save(store, d / WeightsName(30), {.exclude = {"Training/**"}, .metadata = {{"step", "30"}}});
       }},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.message);
    const TemporaryDirectory directory;
    {
      CheckpointDirectory checkpoints(directory.path());
      for (int64_t step : {10, 20, 30}) WriteStep(checkpoints, step);
    }
    row.damage(directory);
    EXPECT_EQ(LatestStep(directory.path()), 20);
    EXPECT_THAT(LatestValid(directory.path()).skipped, ElementsAre(HasSubstr(row.message)));
    CheckpointDirectory checkpoints(directory.path());
    checkpoints.DeleteAfter(20);  // a run that goes on from 20
    WriteStep(checkpoints, 30);
    EXPECT_EQ(LatestStep(directory.path()), 30);
  }
}

TEST(LatestValid, WithoutAnyGivesEveryReason) {
  const TemporaryDirectory directory;
  EXPECT_FALSE(LatestValid(directory.path()).generation);
  EXPECT_THAT(LatestValid(directory.path()).skipped, IsEmpty());
  {
    CheckpointDirectory checkpoints(directory.path());
    for (int64_t step : {10, 20}) WriteStep(checkpoints, step);
  }
  for (int64_t step : {10, 20}) FlipLastBit(directory / WeightsName(step));
  EXPECT_FALSE(LatestValid(directory.path()).generation);
  EXPECT_THAT(LatestValid(directory.path()).skipped,
              ElementsAre(HasSubstr(WeightsName(20)), HasSubstr(WeightsName(10))));
}

TEST(LatestValid, ADamagedIndexIsMadeAgainFromTheFiles) {
  const std::string indices[] = {
      "", "{", "[]", "null", "{\"format\":1}", "{\"format\":\"1\",\"generations\":[],\"dropped\":[]}",
      "{\"format\":1,\"generations\":[{\"step\":-3,\"epoch\":0,\"loss\":null}],\"dropped\":[]}",
      "{\"format\":1,\"generations\":[{\"step\":\"../x\",\"epoch\":0,\"loss\":null}],\"dropped\":[]}",
      "{\"format\":1,\"generations\":[],\"dropped\":[4,4]}",
      // Whole but for one thing:
      R"({"format":1.5,"best":null,"generations":[],"dropped":[]})",
      R"({"format":true,"best":null,"generations":[],"dropped":[]})",
      R"({"format":1,"best":null,"generations":[{"step":20,"epoch":1.5,"loss":null}],"dropped":[]})",
      R"({"format":1,"best":null,"generations":[{"step":20,"epoch":-1,"loss":null}],"dropped":[]})",
      R"({"format":1,"best":null,"generations":[{"step":20,"epoch":1,"loss":true}],"dropped":[]})",
      R"({"format":1,"best":null,"generations":[{"step":20,"step":30,"epoch":1,"loss":null}],"dropped":[]})",
      R"({"format":1,"best":null,"generations":[[]],"dropped":[]})",
      R"({"format":1,"best":null,"generations":[],"dropped":[[]]})",
      R"({"format":1,"best":null,"generations":[],"dropped":[],"dropped":[]})",
      R"({"format":1,"best":null,"generations":[],"dropped":[],"more":1})",
      R"({"format":1,"best":null,"generations":[],"dropped":[9223372036854775808]})",
      "\xEF\xBB\xBF"
      R"({"format":1,"best":null,"generations":[],"dropped":[]})",
      std::string(R"({"format":1,"best":null,"generations":[],"dropped":[]})") + '\0', "[[[[[[[[[[[["};
  for (const std::string& index : indices) {
    SCOPED_TRACE(index);
    const TemporaryDirectory directory;
    {
      CheckpointDirectory checkpoints(directory.path());
      WriteStep(checkpoints, 10, 2.5);
      WriteStep(checkpoints, 20);
    }
    WriteFile(directory / "checkpoints.json", index);
    EXPECT_EQ(LatestStep(directory.path()), 20);
    EXPECT_THAT(LatestValid(directory.path()).skipped,
                ElementsAre(HasSubstr("index: " + (directory / "checkpoints.json").string())));
    CheckpointDirectory checkpoints(directory.path());
    WriteStep(checkpoints, 30);
    EXPECT_THAT(Steps(ListGenerations(directory.path())), ElementsAre(10, 20, 30));
    EXPECT_EQ(checkpoints.Best()->step, 10);
    EXPECT_EQ(checkpoints.Best()->epoch, 1);
  }
}

TEST(LatestValid, AnIndexOfANewerVersionIsNotTouched) {
  const TemporaryDirectory directory;
  WriteFile(directory / "checkpoints.json", "{\"format\":2}");
  EXPECT_THAT(Thrown<CheckpointError>([&] { LatestValid(directory.path()); }),
              HasSubstr("format version: got 2, expected 1"));
  EXPECT_THAT(Thrown<CheckpointError>([&] { CheckpointDirectory(directory.path()); }), HasSubstr("format version"));
  EXPECT_EQ(ReadFile(directory / "checkpoints.json"), "{\"format\":2}");
}

// ---- Faults --------------------------------------------------------------------------------------------------------

constexpr KeepPolicy kKeepTwo{.keep = 2, .keep_best = false};

// All that a directory goes through: first generations, one that is no longer kept, one that is given up, a new start.
// `acknowledge` gets the step that must not be lost from then on. False if a call failed; then it ends there.
bool Live(const std::filesystem::path& directory, const FileSystem& system,
          const std::function<void(int64_t step)>& acknowledge) {
  const auto write = [&](CheckpointDirectory& checkpoints, int64_t step) {
    WriteStep(checkpoints, step);
    acknowledge(step);
  };
  try {
    {
      CheckpointDirectory checkpoints(directory, kKeepTwo, system);
      for (int64_t step : {10, 20, 30}) write(checkpoints, step);
      acknowledge(20);
      checkpoints.DeleteAfter(20);
    }
    CheckpointDirectory checkpoints(directory, kKeepTwo, system);
    write(checkpoints, 40);
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

// After whatever happened: a new start cleans up, and two generations later only these are there.
void ExpectGoesOnCleanly(const std::filesystem::path& directory) {
  {
    const FaultyFileSystem whole;
    CheckpointDirectory checkpoints(directory, kKeepTwo, whole.system());
    WriteStep(checkpoints, 50);
    WriteStep(checkpoints, 60);
  }
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) names.insert(entry.path().filename());
  EXPECT_EQ(names, (std::set<std::string>{"checkpoints.json", "checkpoints.lock", WeightsName(50), StateName(50),
                                          WeightsName(60), StateName(60)}));
  EXPECT_EQ(LatestStep(directory), 60);
}

class CheckpointDirectoryFaults : public testing::TestWithParam<Fault> {};

// Every call × every fault, until there is no such call any more.
TEST_P(CheckpointDirectoryFaults, WhatWasAcknowledgedStays) {
  const Fault fault = GetParam();
  int call = 0;
  for (bool was_hit = true; was_hit; ++call) {
    SCOPED_TRACE(call);
    const TemporaryDirectory directory;
    FaultyFileSystem disk;
    disk.FailAt(call, fault);
    int64_t acknowledged = -1;
    const bool has_ended = Live(directory.path(), disk.system(), [&](int64_t step) { acknowledged = step; });
    was_hit = disk.was_hit();
    EXPECT_GE(LatestStep(directory.path()), acknowledged);
    for (const Generation& listed : ReadGenerationIndex(directory.path()).generations) {
      EXPECT_TRUE(std::filesystem::exists(listed.weights) && std::filesystem::exists(listed.state)) << listed.step;
    }
    EXPECT_TRUE(has_ended || !IsHarmless(fault));
    if (!IsKill(fault)) {
      for (const std::string& name : directory.Names()) EXPECT_EQ(TemporaryTarget(name), "");
    }
    ExpectGoesOnCleanly(directory.path());
    if (HasFailure()) break;
  }
  EXPECT_GT(call, 100);
}

// The same run goes on after a generation that could not be written, be it because the disk was gone for a while.
TEST_P(CheckpointDirectoryFaults, TheNextGenerationIsWrittenInTheSameRun) {
  bool was_hit = true;
  for (int call = 0; was_hit; ++call) {
    SCOPED_TRACE(call);
    const TemporaryDirectory directory;
    FaultyFileSystem disk;
    {
      CheckpointDirectory checkpoints(directory.path(), kKeepTwo, disk.system());
      WriteStep(checkpoints, 10);
      disk.FailAt(disk.calls() + call, GetParam());
      try {
        WriteStep(checkpoints, 20);
      } catch (const std::system_error&) {}
      was_hit = disk.was_hit();
      disk.FailAt(-1, GetParam());
      WriteStep(checkpoints, 30);
      EXPECT_EQ(LatestStep(directory.path()), 30);
      WriteStep(checkpoints, 40);
    }
    CheckpointDirectory(directory.path());  // temporary files that could not be deleted
    EXPECT_THAT(directory.Names(), ElementsAre("checkpoints.json", "checkpoints.lock", WeightsName(30), StateName(30),
                                               WeightsName(40), StateName(40)));
  }
}

INSTANTIATE_TEST_SUITE_P(All, CheckpointDirectoryFaults, testing::ValuesIn(kAllFaults));

TEST(CheckpointDirectory, HalfAGenerationOfSomebodyElseIsKept) {
  const TemporaryDirectory directory, other;
  CheckpointDirectory(directory.path());
  {
    CheckpointDirectory checkpoints(other.path());
    WriteStep(checkpoints, 70);
  }
  std::filesystem::copy(other / WeightsName(70), directory / WeightsName(70));
  CheckpointDirectory checkpoints(directory.path());
  WriteStep(checkpoints, 80);
  EXPECT_TRUE(std::filesystem::exists(directory / WeightsName(70)));
}

// ---- Power cuts ----------------------------------------------------------------------------------------------------

// What a power cut may leave of the events before it: of file content only what was synced is sure, and any of the
// creations, renames and deletions since the directory was synced last may be lost.
class PowerCut {
 public:
  using Files = std::map<std::string, std::string>;

  void Add(const DiskEvent& event) {
    switch (event.kind) {
      case DiskEvent::kCreate:
        open_[event.name] = static_cast<int>(inodes_.size());
        pending_.push_back({.to = event.name, .inode = open_[event.name]});
        inodes_.push_back({});
        break;
      case DiskEvent::kWrite: inodes_[Inode(event.name)].content += event.content; break;
      case DiskEvent::kSync: inodes_[Inode(event.name)].is_synced = true; break;
      case DiskEvent::kRename:
        pending_.push_back({.from = event.name, .to = event.to, .inode = open_.at(event.name)});
        open_.erase(event.name);
        break;
      case DiskEvent::kUnlink: pending_.push_back({.from = event.name}); break;
      case DiskEvent::kSyncDirectory:
        for (const Change& change : pending_) Apply(change, durable_);
        pending_.clear();
        break;
    }
  }
  size_t pending() const { return pending_.size(); }
  // Which pending changes took place, a bit for each; content that was not synced is whole, cut, or all zeros.
  Files State(uint64_t changes, int content) const {
    std::map<std::string, int> names = durable_;
    for (size_t i = 0; i < pending_.size(); ++i) {
      if ((changes >> i & 1) != 0) Apply(pending_[i], names);
    }
    Files files;
    for (const auto& [name, inode] : names) {
      const File& file = inodes_[static_cast<size_t>(inode)];
      const size_t size = file.content.size();
      files[name] = file.is_synced || content == 0 ? file.content
                    : content == 1                 ? file.content.substr(0, size / 2)
                                                   : std::string(size, '\0');
    }
    return files;
  }

 private:
  struct File {
    std::string content = {};
    bool is_synced = false;
  };
  struct Change {
    std::string from = {}, to = {};  // "": none
    int inode = -1;
  };

  static void Apply(const Change& change, std::map<std::string, int>& names) {
    names.erase(change.from);
    if (!change.to.empty()) names[change.to] = change.inode;
  }
  size_t Inode(const std::string& name) const { return static_cast<size_t>(open_.at(name)); }

  std::vector<File> inodes_;
  std::map<std::string, int> open_;     // temporary files
  std::map<std::string, int> durable_;  // names that are sure
  std::vector<Change> pending_;
};

struct PowerCuts {
  size_t states = 0, distinct = 0;
  size_t pending = 0;     // the most at once
  std::string lost = {};  // the first state in which what was acknowledged could not be restored
};

// Restores from every state that a power cut may leave at any event of a life on `system`, which writes to `disk`. All
// subsets of up to ten pending changes, 1,024 random ones of more.
PowerCuts CutEverywhere(const FaultyFileSystem& disk, const FileSystem& system) {
  const TemporaryDirectory recorded;
  std::vector<std::pair<size_t, int64_t>> acknowledged;  // after so many events, the step
  EXPECT_TRUE(
      Live(recorded.path(), system, [&](int64_t step) { acknowledged.emplace_back(disk.events().size(), step); }));
  PowerCuts cuts;
  PowerCut cut;
  std::map<PowerCut::Files, int64_t> latest;  // of all that may be left
  std::mt19937_64 random(1);
  for (size_t i = 0; i < disk.events().size(); ++i) {
    cut.Add(disk.events()[i]);
    cuts.pending = std::max(cuts.pending, cut.pending());
    int64_t sure = -1;
    for (const auto& [events, step] : acknowledged) sure = events <= i + 1 ? step : sure;
    const uint64_t subsets = uint64_t{1} << std::min(cut.pending(), size_t{10});
    for (uint64_t subset = 0; subset < subsets; ++subset) {
      for (int content = 0; content < 3; ++content) {
        ++cuts.states;
        const auto [found, is_new] = latest.try_emplace(cut.State(cut.pending() > 10 ? random() : subset, content));
        if (is_new) {
          const TemporaryDirectory directory;
          for (const auto& [name, bytes] : found->first) WriteFile(directory / name, bytes);
          found->second = LatestStep(directory.path());
          EXPECT_NO_THROW(CheckpointDirectory(directory.path()));
          for (const std::string& name : directory.Names()) EXPECT_EQ(TemporaryTarget(name), "");
        }
        if (found->second < sure)
          return {.lost = "event " + std::to_string(i) + ": step " + std::to_string(found->second)};
      }
    }
  }
  cuts.distinct = latest.size();
  return cuts;
}

TEST(CheckpointDirectory, EveryPowerCutLeavesWhatWasAcknowledged) {
  const FaultyFileSystem disk;
  const PowerCuts cuts = CutEverywhere(disk, disk.system());
  EXPECT_EQ(cuts.lost, "");
  EXPECT_LE(cuts.pending, 10u) << "all subsets were tried";
  EXPECT_GT(cuts.distinct, 100u);
  std::cout << cuts.states << " states, " << cuts.distinct << " of them distinct\n";
}

// That the test above would notice: writers that leave out a sync.
TEST(CheckpointDirectory, APowerCutFindsTheMissingSync) {
  const auto is_directory = [](int file) {
    struct stat status {};
    return fstat(file, &status) == 0 && S_ISDIR(status.st_mode);
  };
  int file_syncs = 0;
  const struct {
    const char* name;
    std::function<bool(int file)> skips;
  } writers[] = {
      {"no file", [&](int file) { return !is_directory(file); }},
      {"no directory", is_directory},
      {"weights", [&](int file) { return !is_directory(file) && file_syncs++ % 3 == 0; }},
      {"state", [&](int file) { return !is_directory(file) && file_syncs++ % 3 == 1; }},
  };
  for (const auto& writer : writers) {
    FaultyFileSystem disk;
    FileSystem system = disk.system();
    file_syncs = 0;
    system.sync = [&](int file) { return writer.skips(file) ? 0 : disk.system().sync(file); };
    EXPECT_NE(CutEverywhere(disk, system).lost, "") << writer.name;
  }
}

}  // namespace
}  // namespace weft
