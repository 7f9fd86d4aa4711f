// Disks that are full, read-only, gone, or in use by somebody else: exit code 5 with the path, and what was there is
// kept.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "weft/tests/examples/crashing_run.h"

namespace weft {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

// A file system of its own size, gone afterwards. Needs the right to mount.
class SmallDisk {
 public:
  explicit SmallDisk(const std::filesystem::path& directory) : directory_(directory) {
    std::filesystem::create_directory(directory);
    if (Mount(0, "size=64k") != 0) reason_ = std::strerror(errno);
  }
  ~SmallDisk() {
    if (reason_.empty()) umount2(directory_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  // Why there is none; "" if there is.
  const std::string& reason() const { return reason_; }
  void MakeLarge() const { EXPECT_EQ(Mount(MS_REMOUNT, "size=8m"), 0); }
  void MakeReadOnly() const { EXPECT_EQ(Mount(MS_REMOUNT | MS_RDONLY, ""), 0); }

 private:
  int Mount(unsigned long flags, const char* options) const {
    return mount("none", directory_.c_str(), "tmpfs", flags, options);
  }

  std::filesystem::path directory_;
  std::string reason_;
};

class DiskTrouble : public CrashingRun {
 protected:
  // A run that is done, to go on from.
  void Finish() const { ASSERT_EQ(RunTool(New(out())).code, 0); }
  // A run that does not end before something is done to it.
  std::vector<std::string> Endless() const {
    std::vector<std::string> arguments = New(out(), {"--keep", "2"});
    *std::next(std::ranges::find(arguments, "--epochs")) = "1000000";
    return arguments;
  }
  // Goes on for one more epoch.
  Outcome OneMore(const std::vector<std::string>& more = {}, const Launch& launch = {}) const {
    return RunTool(Resumed(out(), std::vector<std::string>{"--epochs", std::to_string(kEpochs + 1)} + more), launch);
  }
};

TEST_F(DiskTrouble, AFullDiskKeepsWhatWasWritten) {
  const SmallDisk disk(own_ / "disk");
  if (!disk.reason().empty()) GTEST_SKIP() << "cannot mount a small file system: " << disk.reason();
  run_ = own_ / "disk/run";
  const Outcome stopped = RunTool(New(run_, {"--keep", "1000"}));
  ExpectError(stopped, 5, "; what was there before is kept: No space left on device");
  EXPECT_THAT(
      Lines(stopped.err).back(),
      MatchesRegex(".*write: " + run_.string() + "/[^ ]*: got [0-9]+ of [0-9]+ bytes written, [0-9]+ bytes free.*"));
  const int64_t kept = ExpectKept(1);
  EXPECT_THAT(Temporaries(), IsEmpty());

  // Told so, training goes on to its end, and then says what it could not write.
  const Outcome warned = RunTool(Resumed(run_, {"--keep", "1000", "--on-checkpoint-error", "warn"}));
  ExpectError(warned, 5, "No space left on device");
  EXPECT_THAT(warned.err, AllOf(HasSubstr("vae: warning: write: "),
                                HasSubstr("No space left on device; training goes on\n"), HasSubstr("epoch 6/6  ")));
  EXPECT_THAT(Lines(warned.out).back(), HasSubstr("{\"test\":"));
  EXPECT_EQ(ExpectKept(kept), kept);
  EXPECT_THAT(Temporaries(), IsEmpty());

  disk.MakeLarge();
  EXPECT_EQ(RunTool(Resumed(run_)).code, 0);
  ExpectKept(kSteps);
}

TEST_F(DiskTrouble, AReadOnlyDiskIsNamed) {
  const SmallDisk disk(own_ / "disk");
  if (!disk.reason().empty()) GTEST_SKIP() << "cannot mount a small file system: " << disk.reason();
  disk.MakeLarge();
  run_ = own_ / "disk/run";
  Finish();
  std::filesystem::create_directory(own_ / "disk/empty");
  disk.MakeReadOnly();
  const auto before = Contents(own_ / "disk");
  ExpectError(OneMore(), 5, run_.string() + "/checkpoints.lock: cannot open it: Read-only file system");
  ExpectError(RunTool(New(own_ / "disk/empty")), 5, (own_ / "disk/empty/checkpoints.lock").string());
  ExpectError(RunTool(New(own_ / "disk/new")), 5, (own_ / "disk/new").string());
  EXPECT_TRUE(Contents(own_ / "disk") == before);
}

// A generation is one file of 4 kB and one of 6: the limit hits the one or the other.
TEST_F(DiskTrouble, AFileSizeLimitIsAnErrorAndNoSignal) {
  for (const rlim_t limit : {100U, 5000U}) {
    Launch limited;
    limited.largest_file = limit;
    ExpectError(RunTool(New(out()), limited), 5, ": File too large");
    EXPECT_EQ(NewestStep(), 0);
    EXPECT_THAT(Temporaries(), IsEmpty());
    Finish();  // into the same directory: there is nothing in it that one would miss
    ExpectError(OneMore({}, limited), 5, "got " + std::to_string(limit) + " of ");
    ExpectKept(kSteps);
    std::filesystem::remove_all(out());
  }
}

TEST_F(DiskTrouble, ADirectoryInPlaceOfAFileIsNamed) {
  Finish();
  const std::filesystem::path taken = GenerationAt(out(), kSteps + 3).weights;
  std::filesystem::create_directory(taken);
  ExpectError(OneMore(), 5,
              "write: " + taken.string() + ": cannot rename it; what was there before is kept: Is a directory");
  EXPECT_EQ(NewestStep(), kSteps + 2);
  EXPECT_THAT(Temporaries(), IsEmpty());

  // A later checkpoint makes up for it.
  const Outcome warned = OneMore({"--on-checkpoint-error", "warn"});
  EXPECT_EQ(warned.code, 0) << warned.err;
  EXPECT_THAT(warned.err, HasSubstr("vae: warning: write: " + taken.string()));
  EXPECT_EQ(NewestStep(), kSteps + 5);
}

TEST_F(DiskTrouble, ADirectoryThatIsGoneIsNamed) {
  Launch launch;
  launch.watch = [&](const std::string&, pid_t) {
    if (std::filesystem::exists(out())) std::filesystem::rename(out(), own_ / "elsewhere");
  };
  ExpectError(RunTool(Endless(), launch), 5, out().string());
  EXPECT_FALSE(std::filesystem::exists(out()));
}

TEST_F(DiskTrouble, APictureThatCannotBeWrittenIsToldAfterTheFigures) {
  Finish();
  std::filesystem::remove(out() / "latent.png");
  std::filesystem::create_directory(out() / "latent.png");
  const Outcome outcome = OneMore();
  ExpectError(outcome, 5, "write: " + (out() / "latent.png").string() + ": cannot rename it");
  EXPECT_THAT(Lines(outcome.out).back(), HasSubstr("{\"test\":"));
  EXPECT_EQ(NewestStep(), kSteps + kStepsPerEpoch);
  EXPECT_THAT(Temporaries(), IsEmpty());
}

TEST_F(DiskTrouble, ViewsThatCannotBeWrittenAreErrorsOfWriting) {
  ExpectError(RunTool({"graph"}, {.out = "/dev/full"}), 5, "standard output");
  ExpectError(RunTool({"plan", "--hidden", "4"}, {.out = "/dev/full"}), 5, "standard output");
}

TEST_F(DiskTrouble, TheSecondTrainerIsRefused) {
  Launch launch;
  int refused = 0;
  launch.watch = [&](const std::string&, pid_t first) {
    if (refused > 0) return;
    kill(first, SIGSTOP);
    const std::string owner = "process " + std::to_string(first) + " uses the directory";
    ExpectError(RunTool(Resumed(out())), 5, owner);
    ExpectError(RunTool(New(out())), 5, owner);
    ++refused;
    kill(first, SIGTERM);
    kill(first, SIGCONT);
  };
  const Outcome outcome = RunTool(Endless(), launch);
  EXPECT_EQ(outcome.code, 143) << outcome.err;
  EXPECT_EQ(refused, 1);
  EXPECT_THAT(LatestValid(out()).skipped, IsEmpty());
  ExpectTidy();
}

// What a dead process leaves where its first checkpoint was not complete yet.
TEST_F(DiskTrouble, ARunMayBeginWhereOneWasKilledAtOnce) {
  std::filesystem::create_directory(out());
  WriteFile(out() / kCheckpointLock, "99999999 writing 1");
  WriteFile(GenerationAt(out(), 1).weights, ReadFile(GenerationAt(whole(), 1).weights));
  WriteFile(out() / ".model-1.state.safetensors.tmp-99999999-0", "{");
  WriteFile(out() / ".curves.png.tmp-99999999-0", "x");
  const Outcome outcome = RunTool(New(out()));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  ExpectKept(kSteps);
  EXPECT_THAT(Temporaries(), IsEmpty());
}

}  // namespace
}  // namespace weft
