// The golden files are what PyTorch computes today. Skipped where it is not installed.
#include <gtest/gtest.h>

#include "weft/tests/examples/child_process.h"
#include "weft/tests/support/golden_file.h"

namespace weft {
namespace {

const Launch kPython = {.binary = "/usr/bin/python3"};  // of the distribution, whose PyTorch it is

class GoldenFiles : public testing::TestWithParam<const char*> {};

TEST_P(GoldenFiles, AreWhatPyTorchComputes) {
  if (RunTool({"-c", "import torch"}, kPython).code != 0) GTEST_SKIP() << "python3-torch is not installed";
  const Outcome outcome = RunTool({"-B", GoldenPath("make_golden.py", GetParam()).string(), "--check"}, kPython);
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  RecordProperty("output", outcome.out);
}

INSTANTIATE_TEST_SUITE_P(All, GoldenFiles, testing::Values("models", "ops"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace weft
