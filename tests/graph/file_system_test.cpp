// A file is replaced whole or not at all, whichever call fails; and only regular files are read.
#include "weft/graph/runtime/file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>
#include <optional>
#include <system_error>

#include "weft/graph/error.h"
#include "weft/tests/support/faulty_file_system.h"
#include "weft/tests/support/temporary_directory.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

void Write(const FileSystem& system, const std::filesystem::path& file, const std::string& first,
           const std::string& second) {
  const std::span<const std::byte> pieces[] = {std::as_bytes(std::span(first)), std::as_bytes(std::span(second))};
  WriteDurably(system, file, pieces);
}

std::string Kinds(const std::vector<DiskEvent>& events) {
  const char* const names[] = {"create", "write", "sync", "rename", "unlink", "sync directory"};
  std::string text;
  for (const DiskEvent& event : events) text += (text.empty() ? "" : ", ") + std::string(names[event.kind]);
  return text;
}

TEST(WriteDurably, SyncsBeforeAndAfterTheRename) {
  const TemporaryDirectory directory;
  const FaultyFileSystem disk;
  Write(disk.system(), directory / "file", "ab", "cd");
  EXPECT_EQ(ReadFile(directory / "file"), "abcd");
  EXPECT_EQ(Kinds(disk.events()), "create, write, write, sync, rename, sync directory");
  EXPECT_THAT(directory.Names(), ElementsAre("file"));
  EXPECT_EQ(TemporaryTarget(disk.events()[0].name), "file");
}

// Every call × every fault, until there is no such call any more.
class WriteDurablyFaults : public testing::TestWithParam<Fault> {};

TEST_P(WriteDurablyFaults, TheFileIsOldOrNew) {
  const Fault fault = GetParam();
  for (int call = 0;; ++call) {
    SCOPED_TRACE(call);
    const TemporaryDirectory directory;
    WriteFile(directory / "file", "old");
    FaultyFileSystem disk;
    disk.FailAt(call, fault);
    bool has_thrown = false;
    try {
      Write(disk.system(), directory / "file", "new", std::string(100, 'x'));
    } catch (const std::system_error& error) {
      has_thrown = true;
      EXPECT_THAT(error.what(), AllOf(HasSubstr("write: "), HasSubstr((directory / "file").string())));
    }
    if (!disk.was_hit()) {
      EXPECT_GT(call, 8);
      break;
    }
    const bool is_renamed = Kinds(disk.events()).find("rename") != std::string::npos;
    EXPECT_EQ(ReadFile(directory / "file"), is_renamed ? "new" + std::string(100, 'x') : "old");
    EXPECT_TRUE(is_renamed || has_thrown);
    EXPECT_FALSE(IsHarmless(fault) && has_thrown);
    EXPECT_TRUE(IsKill(fault) || directory.Names() == std::set<std::string>{"file"});
  }
}

INSTANTIATE_TEST_SUITE_P(All, WriteDurablyFaults, testing::ValuesIn(kAllFaults));

TEST(WriteDurably, AFailedSyncIsNotRepeated) {
  const TemporaryDirectory directory;
  FileSystem system;
  int syncs = 0;
  system.sync = [&](int) {
    ++syncs;
    errno = ENOSPC;
    return -1;
  };
  const std::string message = Thrown<std::system_error>([&] { Write(system, directory / "file", "ab", "cd"); });
  EXPECT_THAT(message,
              AllOf(HasSubstr("may not have reached the disk"), HasSubstr("bytes free"), HasSubstr("No space left")));
  EXPECT_EQ(syncs, 1);
  EXPECT_TRUE(directory.Names().empty());
}

TEST(WriteDurably, AFileThatCannotBeClosedIsNoFile) {
  const TemporaryDirectory directory;
  const FileSystem machine;
  FileSystem system;
  system.close = [&](int file) {
    machine.close(file);
    errno = EIO;
    return -1;
  };
  const std::string message = Thrown<std::system_error>([&] { Write(system, directory / "file", "ab", "cd"); });
  EXPECT_THAT(message, AllOf(HasSubstr("cannot close it"), HasSubstr("kept")));
  EXPECT_TRUE(directory.Names().empty());
}

TEST(WriteDurably, ADirectoryThatCannotBeSyncedAtAllIsAccepted) {
  const TemporaryDirectory directory;
  FileSystem system;
  int syncs = 0;
  system.sync = [&](int) {
    errno = EINVAL;
    return syncs++ == 0 ? 0 : -1;
  };
  Write(system, directory / "file", "ab", "cd");
  EXPECT_EQ(ReadFile(directory / "file"), "abcd");
}

TEST(WriteDurably, ReplacesALinkAndNotItsTarget) {
  const TemporaryDirectory directory;
  WriteFile(directory / "target", "target");
  WriteFile(directory / "other", "other");
  std::filesystem::create_symlink("target", directory / "link");
  std::filesystem::create_symlink("nowhere", directory / "dangling");
  std::filesystem::create_hard_link(directory / "other", directory / "hard");
  for (const char* name : {"link", "dangling", "hard"}) Write(FileSystem(), directory / name, "new", "");
  for (const char* name : {"link", "dangling", "hard"}) {
    EXPECT_EQ(ReadFile(directory / name), "new");
    EXPECT_FALSE(std::filesystem::is_symlink(directory / name));
  }
  EXPECT_EQ(ReadFile(directory / "target"), "target");
  EXPECT_EQ(ReadFile(directory / "other"), "other");
  EXPECT_FALSE(std::filesystem::exists(directory / "nowhere"));
}

TEST(WriteDurably, RefusesWhatIsNoFileName) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "taken");
  const struct {
    std::filesystem::path path;
    const char* message;
  } rows[] = {
      {directory / "taken", "cannot rename it"},     {directory / "taken/", "got no file name"},
      {directory / "taken/..", "got no file name"},  {directory / "missing/file", "cannot open the directory"},
      {directory / std::string(300, 'n'), "cannot"}, {directory / "\x1b[31m\n/file", "\\x1b[31m\\x0a"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(Thrown<std::system_error>([&] { Write(FileSystem(), row.path, "new", ""); }), HasSubstr(row.message));
  }
  EXPECT_THAT(directory.Names(), ElementsAre("taken"));
}

TEST(WriteDurably, TakesAnotherNameThanADeadProcess) {
  const TemporaryDirectory directory;
  FaultyFileSystem killed;
  killed.FailAt(2, Fault::kKilledAfter);  // within this very process: the same number
  EXPECT_THROW(Write(killed.system(), directory / "file", "one", ""), std::system_error);
  EXPECT_EQ(directory.Names().size(), 1u);
  Write(FileSystem(), directory / "file", "two", "");
  EXPECT_EQ(ReadFile(directory / "file"), "two");
}

TEST(TemporaryTarget, IsNothingForOtherFiles) {
  EXPECT_EQ(TemporaryTarget(".model.safetensors.tmp-17-0"), "model.safetensors");
  for (const char* name : {"model.safetensors", ".model.safetensors", "model.tmp-17-0", ""}) {
    EXPECT_EQ(TemporaryTarget(name), "");
  }
}

std::string OpeningError(const std::filesystem::path& path) {
  const FileSystem system;
  try {
    const InputFile file(system, path);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "opened";
}

TEST(InputFile, OnlyRegularFilesAreRead) {
  const TemporaryDirectory directory;
  ASSERT_EQ(mkfifo((directory / "fifo").c_str(), 0600), 0);
  WriteFile(directory / "file", "x");
  std::filesystem::create_symlink("file", directory / "link");
  std::filesystem::create_symlink("nowhere", directory / "dangling");
  std::filesystem::create_symlink("loop", directory / "loop");
  const struct {
    std::filesystem::path path;
    const char* message;
  } rows[] = {
      {directory.path(), "got a directory, expected a regular file"},
      {directory / "fifo", "got a FIFO, expected a regular file"},
      {"/dev/null", "got a device, expected a regular file"},
      {directory / "link", "opened"},
      {directory / "missing", "No such file"},
      {directory / "dangling", "No such file"},
      {directory / "loop", "symbolic links"},
  };
  for (const auto& row : rows) EXPECT_THAT(OpeningError(row.path), HasSubstr(row.message));
}

TEST(InputFile, NoticesThatAFileShrinks) {
  const TemporaryDirectory directory;
  WriteFile(directory / "file", std::string(100, 'x'));
  const FileSystem system;
  const InputFile file(system, directory / "file");
  std::filesystem::resize_file(directory / "file", 40);
  std::vector<std::byte> bytes(100);
  EXPECT_THAT(Thrown<CheckpointError>([&] { file.Read(0, bytes); }), HasSubstr("got 40 bytes, expected 60 more"));
}

TEST(InputFile, GetsOverInterruptionsAndNotOverErrors) {
  const TemporaryDirectory directory;
  WriteFile(directory / "file", "0123456789");
  for (const auto& [fault, is_read] : {std::pair(Fault::kInterrupted, true), {Fault::kInputOutput, false}}) {
    FaultyFileSystem disk;
    const InputFile file(disk.system(), directory / "file");
    disk.FailAt(disk.calls(), fault);
    std::string text(4, ' ');
    bool has_thrown = false;
    try {
      file.Read(3, std::as_writable_bytes(std::span(text)));
    } catch (const std::system_error& error) {
      has_thrown = true;
      EXPECT_THAT(error.what(), HasSubstr("file: at byte 3"));
    }
    EXPECT_EQ(has_thrown, !is_read);
    EXPECT_EQ(text, is_read ? "3456" : "    ");
  }
}

TEST(FileLock, IsHeldByOneAtATime) {
  const TemporaryDirectory directory;
  std::optional<FileLock> first;
  first.emplace(directory / "lock");
  const std::string message = Thrown<std::system_error>([&] { FileLock(directory / "lock"); });
  EXPECT_THAT(message, HasSubstr("process " + std::to_string(getpid()) + " uses the directory"));
  first.reset();
  EXPECT_NO_THROW(FileLock(directory / "lock"));
}

TEST(FileLock, KeepsTheWordUntilTheNextOne) {
  const TemporaryDirectory directory;
  WriteFile(directory / "lock", "99999999");  // of a dead process, without a word
  EXPECT_EQ(FileLock(directory / "lock").left(), "");
  FileLock(directory / "lock").Leave("writing 17");
  EXPECT_EQ(FileLock(directory / "lock").left(), "writing 17");
  EXPECT_EQ(FileLock(directory / "lock").left(), "writing 17");
  FileLock(directory / "lock").Leave("");
  EXPECT_EQ(FileLock(directory / "lock").left(), "");
  FileLock(directory / "lock").Leave(std::string(100, 'x'));
  EXPECT_EQ(FileLock(directory / "lock").left().substr(0, 40), std::string(40, 'x'));
}

TEST(DeleteTemporaries, DeletesOnesOwn) {
  const TemporaryDirectory directory;
  for (const char* name : {".a.tmp-1-0", ".a.tmp-2-17", ".b.tmp-1-0", "a", ".a", "a.tmp-1-0"})
    WriteFile(directory / name, "x");
  DeleteTemporaries(FileSystem(), directory.path(), [](const std::string& target) { return target == "a"; });
  EXPECT_THAT(directory.Names(), ElementsAre(".a", ".b.tmp-1-0", "a", "a.tmp-1-0"));
}

TEST(SyncDirectory, NamesTheDirectory) {
  const TemporaryDirectory directory;
  EXPECT_NO_THROW(SyncDirectory(FileSystem(), directory.path()));
  EXPECT_THAT(Thrown<std::system_error>([&] { SyncDirectory(FileSystem(), directory / "missing"); }),
              AllOf(HasSubstr((directory / "missing").string()), HasSubstr("No such file")));
}

TEST(FileLock, RefusesAMissingDirectory) {
  const TemporaryDirectory directory;
  EXPECT_THAT(Thrown<std::system_error>([&] { FileLock(directory / "missing/lock"); }), HasSubstr("No such file"));
}

}  // namespace
}  // namespace weft
