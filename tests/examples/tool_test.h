// What tests of the tool share: small data sets, a model trained on them, and checkpoints that something was done to.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "weft/graph/runtime/checkpoint.h"
#include "weft/models/training/checkpoint_directory.h"
#include "weft/tests/examples/child_process.h"
#include "weft/tests/examples/idx_files.h"
#include "weft/tests/support/temporary_directory.h"

namespace weft {

// Squares of some grey on black, whose place and size follow their label: `count` images of `side` × `side`, and
// labels.
inline void WriteSmallSplit(const std::filesystem::path& directory, const std::string& split, std::uint32_t count,
                            std::uint32_t side = 28) {
  Bytes images = Header({0x803, count, side, side}), labels = Header({0x801, count});
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t label = i * 7 % 10, left = label, top = (i * 13 + label) % 9, width = 4 + label % 5 + i % 3;
    for (std::uint32_t y = 0; y < side; ++y) {
      for (std::uint32_t x = 0; x < side; ++x) {
        const bool inside = x >= left && x < left + 2 * width && y >= top && y < top + width;
        images.push_back(static_cast<std::uint8_t>(inside ? 255 - (x * y + i) % 90 : 0));
      }
    }
    labels.push_back(static_cast<std::uint8_t>(label));
  }
  const auto write = [&](const std::string& name, const Bytes& bytes) {
    WriteFile(directory / name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  };
  write(split + "-images-idx3-ubyte", images);
  write(split + "-labels-idx1-ubyte", labels);
}

inline void WriteSmallData(const std::filesystem::path& directory, std::uint32_t side = 28) {
  std::filesystem::create_directory(directory);
  WriteSmallSplit(directory, "train", 300, side);
  WriteSmallSplit(directory, "t10k", 60, side);
}

// The content of each file below `directory`, but of the lock file: who locked it last is no content.
inline std::map<std::string, std::string> Contents(const std::filesystem::path& directory) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    std::error_code loop;  // of links
    if (entry.is_regular_file(loop) && entry.path().filename() != kCheckpointLock)
      contents[entry.path().string()] = ReadFile(entry.path());
  }
  return contents;
}

inline std::vector<std::string> Lines(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// What the tool says last, which must be an error of one line that `text` is part of.
inline void ExpectError(const Outcome& outcome, int code, const std::string& text) {
  EXPECT_EQ(outcome.code, code) << outcome.err;
  ASSERT_FALSE(outcome.err.empty());
  EXPECT_EQ(outcome.err.back(), '\n');
  EXPECT_THAT(Lines(outcome.err).back(), testing::StartsWith("vae: error: "));
  EXPECT_THAT(Lines(outcome.err).back(), testing::HasSubstr(text));
  EXPECT_LE(Lines(outcome.err).back().size(), 2048U);
}

inline std::vector<std::string> operator+(std::vector<std::string> left, const std::vector<std::string>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

// A model of 16 hidden units, trained once for all tests of a suite: two epochs of 8 steps.
class ToolTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = new TemporaryDirectory;
    WriteSmallData(data());
    const Outcome outcome = RunTool(Training({"--epochs", "2", "--out", run().string()}));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  static void TearDownTestSuite() {
    delete shared_;
    shared_ = nullptr;
  }

  // The arguments of a training of a second or less.
  static std::vector<std::string> Training(const std::vector<std::string>& more) {
    return std::vector<std::string>{"train",   "--data", data().string(), "--hidden", "16",
                                    "--batch", "32",     "--validation",  "50"} +
           more;
  }

  static std::filesystem::path data() { return *shared_ / "data"; }
  static std::filesystem::path run() { return *shared_ / "run"; }
  static std::filesystem::path model() { return run() / "model-16.safetensors"; }

  // A copy of the model's variables and metadata after `change`.
  std::filesystem::path Changed(const std::function<void(VariableStore&, Metadata&)>& change,
                                const std::vector<std::string>& without = {}) const {
    VariableStore variables;
    CheckpointSummary summary = Inspect(model());
    for (const CheckpointSummary::Variable& variable : summary.variables)
      variables.Declare(variable.path, variable.dtype, variable.shape);
    Restore(model(), {}, variables);
    change(variables, summary.metadata);
    const std::filesystem::path file = own_ / "changed.safetensors";
    Save(variables, file, {.exclude = without, .metadata = summary.metadata, .allow_nonfinite = true});
    return file;
  }

  TemporaryDirectory own_;

 private:
  static inline TemporaryDirectory* shared_ = nullptr;
};

}  // namespace weft
