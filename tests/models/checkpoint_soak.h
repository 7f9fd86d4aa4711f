// Training with a checkpoint after each step, for long: nothing grows. Shared by the everyday and the nightly tests.
#pragma once

#include <malloc.h>

#include <filesystem>
#include <iostream>
#include <iterator>

#include <gtest/gtest.h>

#include "weft/tests/models/small_run.h"
#include "weft/tests/support/temporary_directory.h"

namespace weft {

// What a process owns: bytes that were allocated and not freed, open files, threads, and files on the disk.
struct Possessions {
  size_t bytes = 0;
  std::ptrdiff_t descriptors = 0, threads = 0, files = 0;
};

inline Possessions Owned(const std::filesystem::path& directory) {
  const auto count = [](const std::filesystem::path& path) {
    const std::filesystem::directory_iterator entries(path);
    return std::distance(begin(entries), end(entries));
  };
  return {.bytes = mallinfo2().uordblks,
          .descriptors = count("/proc/self/fd"),
          .threads = count("/proc/self/task"),
          .files = count(directory)};
}

// Steps have as many digits at `first` as at `last`, so that names are as long. No disk is waited for: `sync` does
// nothing.
inline void ExpectTheSameAfterSteps(int64_t first, int64_t last) {
  const TemporaryDirectory directory;
  FileSystem system;
  system.sync = [](int) { return 0; };
  CheckpointDirectory checkpoints(directory.path(), {.keep = 3, .keep_best = false}, system);
  SmallRun run;
  FitOptions options = run.options(&checkpoints);
  options.epochs = last / kStepsPerEpoch;
  options.checkpoint_steps = 1;
  Possessions before, after;
  int64_t looks = 0;
  // At the end of an epoch, when the generation before it is written.
  options.after_step = [&](const StepReport& report) {
    if (report.step == first) before = Owned(directory.path());
    if (report.step == last) after = Owned(directory.path());
    looks += report.step == first || report.step == last ? 1 : 0;
  };
  run.Fit(options);
  EXPECT_EQ(looks, 2);
  // What `free` keeps for the thread to take again counts as allocated: it fills within the first steps.
  constexpr size_t kKept = size_t{64} << 10;
  EXPECT_LE(after.bytes, before.bytes + kKept);
  EXPECT_EQ(before.descriptors, after.descriptors);
  EXPECT_EQ(before.threads, after.threads);
  EXPECT_EQ(before.files, after.files);
  EXPECT_EQ(checkpoints.List().back().step, last);
  std::cout << last << " checkpoints: " << before.bytes << " bytes after " << first << ", " << after.bytes << " then, "
            << after.descriptors << " files open, " << after.files << " in the directory\n";
}

}  // namespace weft
