// One set of bits: for every number of threads, whatever disturbs them, on every target of a class, in any environment;
// and those that were written down.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <xmmintrin.h>

#include "weft/ops/numerics.h"
#include "weft/tests/support/bits.h"
#include "weft/tests/support/simd_targets.h"
#include "weft/tests/support/temporary_directory.h"
#include "weft/tests/support/training_bits.h"
#include "weft/tests/support/training_matrix.h"

namespace weft {
namespace {

// ---- Golden bits
// -----------------------------------------------------------------------------------------------------

using Lines = std::map<std::string, BitsLine>;  // "Exp f32" → its line

struct GoldenBits {
  int numerics = 0;
  std::map<std::string, Lines> of_class;
};

GoldenBits ReadGoldenBits() {
  GoldenBits golden;
  std::istringstream file(ReadFile(WEFT_SOURCE_DIR "/tests/models/golden/bits.txt"));
  std::string word, numerics, op, dtype;
  file >> word >> golden.numerics;
  BitsLine line;
  while (file >> numerics >> op >> dtype >> line.inputs >> line.result) {
    line.what = op + " " + dtype;
    golden.of_class[numerics][line.what] = line;
  }
  return golden;
}

constexpr const char* kHowToChange =
    "\nIf it is meant: raise kNumericsVersion, say in CHANGELOG.md what changed, and write the file anew: "
    "build/release/tests/weft_bits --golden > tests/models/golden/bits.txt";

TEST(GoldenBits, AreThoseOfThisVersion) {
  const GoldenBits golden = ReadGoldenBits();
  EXPECT_EQ(golden.numerics, kNumericsVersion) << kHowToChange;
  EXPECT_EQ(golden.of_class.size(), 2U);
  EXPECT_EQ(golden.of_class.at("fma").size(), golden.of_class.at("no-fma").size());
}

void ExpectGolden(const std::vector<BitsLine>& lines, const Lines& golden) {
  for (const BitsLine& line : lines) {
    const auto expected = golden.find(line.what);
    ASSERT_NE(expected, golden.end()) << line.what << ": no line yet." << kHowToChange;
    EXPECT_EQ(line.inputs, expected->second.inputs) << line.what << ": other samples, so nothing is known of the bits";
    EXPECT_EQ(line.result, expected->second.result) << line.what << ": other bits." << kHowToChange;
  }
}

TEST(GoldenBits, HoldOnEveryTarget) {
  const GoldenBits golden = ReadGoldenBits();
  for (const int64_t target : SimdTargets()) {
    SCOPED_TRACE(SimdTargetName(target));
    const OnSimdTarget on(target);
    const Lines& of_class = golden.of_class.at(std::string(Name(CurrentNumericsClass())));
    std::vector<BitsLine> lines = BitsOfOps();
    std::ranges::copy(BitsOfTraining(), std::back_inserter(lines));
    ExpectGolden(lines, of_class);
    EXPECT_EQ(lines.size(), of_class.size()) << "the file knows of more than there is." << kHowToChange;
  }
}

// ---- Threads and what disturbs them
// ----------------------------------------------------------------------------------

TEST(TrainingBits, DoNotDependOnThreadsOrTiming) { ExpectOneHash(EverydayRuns()); }

// As a host does that was built with -ffast-math, or rounds upwards for intervals.
TEST(TrainingBits, DoNotDependOnTheHostsFloatingPointState) {
  const std::string expected = RunTraining({.steps = 20}).hash;
  constexpr unsigned kFlush = 0x8040, kRoundUp = 0x4000, kFlags = 0x3f;
  for (const int threads : {1, 4}) {
    for (const unsigned mode : {kFlush, kRoundUp, kFlush | kRoundUp}) {
      const unsigned saved = _mm_getcsr(), host = saved | mode | kFlags;
      _mm_setcsr(host);
      const std::string hash = RunTraining({.threads = threads, .steps = 20}).hash;
      const unsigned after = _mm_getcsr();
      _mm_setcsr(saved);
      EXPECT_EQ(hash, expected) << threads << " threads, MXCSR " << mode;
      EXPECT_EQ(after, host);
    }
  }
}

TEST(TrainingBits, DoNotDependOnTheEnvironment) {
  const TemporaryDirectory directory;
  const std::string program = WEFT_BITS_BINARY " --training";
  const std::string file = (directory / "hash").string();
  const std::string expected = RunTraining({}).hash;
  const std::string large(100'000, 'x');
  std::vector<std::string> commands = {
      fmt::format("{} {}", program, file),
      fmt::format("env -i {} {}", program, file),
      fmt::format("LARGE={} {} {}", large, program, file),
      fmt::format("LC_ALL=de_DE.UTF-8 {} {}", program, file),
      fmt::format("{} {} <&- >&- 2>&-", program, file),
  };
  // Without random addresses, where the system lets a process ask for that.
  if (std::system("setarch -R true 2>/dev/null") == 0)
    commands.push_back(fmt::format("setarch -R {} {}", program, file));
  for (const std::string& command : commands) {
    std::filesystem::remove(file);
    EXPECT_EQ(std::system(command.c_str()), 0) << command.substr(0, 200);
    EXPECT_EQ(ReadFile(file), expected) << command.substr(0, 200);
  }
}

}  // namespace
}  // namespace weft
