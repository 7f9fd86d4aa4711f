// What an exception becomes.
#include "weft/examples/vae/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <new>
#include <system_error>

#include "weft/examples/vae/byte_stream.h"
#include "weft/graph/error.h"

namespace weft {
namespace {

template <class E>
Failure FailureOf(const E& exception) {
  return Describe(std::make_exception_ptr(exception));
}

TEST(Failure, HasTheExitCodeOfItsKind) {
  EXPECT_EQ(FailureOf(UsageError("x")).code, ExitCode::kUsage);
  EXPECT_EQ(FailureOf(DataError("x")).code, ExitCode::kData);
  EXPECT_EQ(FailureOf(CheckpointError("x")).code, ExitCode::kCheckpoint);
  EXPECT_EQ(FailureOf(OutputError("x")).code, ExitCode::kIo);
  EXPECT_EQ(FailureOf(std::system_error(ENOSPC, std::generic_category(), "x")).code, ExitCode::kIo);
  EXPECT_EQ(FailureOf(NumericError("x")).code, ExitCode::kNumeric);
  EXPECT_EQ(FailureOf(ResourceError("x")).code, ExitCode::kResource);
  EXPECT_EQ(FailureOf(std::bad_alloc()).code, ExitCode::kResource);
  EXPECT_EQ(FailureOf(Interruption(SIGINT, "x")).code, ExitCode::kInterrupted);
  EXPECT_EQ(FailureOf(Interruption(SIGTERM, "x")).code, ExitCode::kTerminated);
  EXPECT_EQ(FailureOf(Interruption(SIGHUP, "x")).code, ExitCode::kTerminated);
  EXPECT_EQ(FailureOf(GraphError("x")).code, ExitCode::kInternal);
  EXPECT_EQ(FailureOf(std::logic_error("x")).code, ExitCode::kInternal);
  EXPECT_EQ(FailureOf(3).code, ExitCode::kInternal);
}

TEST(Failure, OfOursAsksForAReport) {
  EXPECT_THAT(FailureOf(std::logic_error("broken")).message,
              testing::MatchesRegex("vae: error: internal: broken; .*report.*"));
}

TEST(Failure, IsOneLineWithoutControlCharacters) {
  EXPECT_EQ(FailureOf(DataError("one\n  two\n\n  three")).message, "vae: error: one; two; three");
  EXPECT_EQ(FailureOf(DataError("one\x1b[2Jtwo")).message, "vae: error: one\\x1b[2Jtwo");
  EXPECT_LE(FailureOf(DataError(std::string(100'000, 'x'))).message.size(), 2048U);
}

TEST(OneLine, JoinsByTheEndOfEachLine) {
  EXPECT_EQ(OneLine("MatMul 'A': inner dimensions differ (2 ≠ 3).\n  left  'X' f32[N, 2]\n  right 'Y' f32[3, 4]"),
            "MatMul 'A': inner dimensions differ (2 ≠ 3). left  'X' f32[N, 2]; right 'Y' f32[3, 4]");
  EXPECT_EQ(OneLine(""), "");
}

}  // namespace
}  // namespace weft
