// What a terminal is sent, what a log is sent, and that neither is sent what belongs to the other.
#include "weft/examples/vae/progress.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace weft {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

EpochProgress HalfOfThirdEpoch() {
  return {.epoch = 3,
          .epochs = 100,
          .step = 234,
          .steps_per_epoch = 468,
          .loss = 152.314,
          .reconstruction = 146.204,
          .kl = 6.11,
          .samples_per_second = 51234.4,
          .seconds = 0.5};
}

/// Sets an environment variable, or removes it, until the end of the scope.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    Set(value);
  }
  ~Variable() { Set(old_ ? old_->c_str() : nullptr); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  void Set(const char* value) const {
    if (value == nullptr) {
      unsetenv(name_);
    } else {
      setenv(name_, value, 1);
    }
  }

  const char* name_;
  std::optional<std::string> old_;
};

/// Two connected ends: what is written into one is read from the other.
struct Ends {
  int reader = -1;
  int writer = -1;

  ~Ends() {
    close(reader);
    if (writer >= 0) close(writer);
  }

  std::string ReadAll() {
    fcntl(reader, F_SETFL, O_NONBLOCK);
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t count; (count = read(reader, buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
  }
};

void OpenPipe(Ends& ends) {
  std::array<int, 2> pipe_ends{};
  ASSERT_EQ(pipe(pipe_ends.data()), 0);
  ends.reader = pipe_ends[0];
  ends.writer = pipe_ends[1];
}

void OpenTerminal(Ends& ends, unsigned short columns) {
  winsize size = {.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  termios settings{};
  cfmakeraw(&settings);  // otherwise a newline arrives as two characters
  ASSERT_EQ(openpty(&ends.reader, &ends.writer, nullptr, &settings, &size), 0);
}

/// The text a terminal of `columns` is sent for one bar and one finished epoch.
std::string TerminalText(unsigned short columns, ProgressStyle style = ProgressStyle::kAuto) {
  Ends ends;
  OpenTerminal(ends, columns);
  Progress progress(style, ends.writer);
  progress.Update(HalfOfThirdEpoch());
  progress.FinishEpoch(HalfOfThirdEpoch());
  return ends.ReadAll();
}

constexpr char kLine[] = "epoch   3/100  loss 152.31 = 146.20 + 6.11  51234 samples/s  0.5 s\n";

TEST(EpochLine, ShowsEveryNumber) { EXPECT_EQ(EpochLine(HalfOfThirdEpoch()) + "\n", kLine); }

TEST(EpochLine, KeepsItsLengthWhenTheLossExplodes) {
  EpochProgress progress = HalfOfThirdEpoch();
  progress.loss = std::numeric_limits<double>::quiet_NaN();
  progress.reconstruction = std::numeric_limits<double>::max();
  progress.kl = std::numeric_limits<double>::infinity();
  EXPECT_THAT(EpochLine(progress), HasSubstr("loss nan = 1.8e+308 + inf"));
}

TEST(BarLine, LeavesOutWhatDoesNotFit) {
  const struct {
    int columns;
    std::string line;
  } cases[] = {
      {120,
       "epoch   3/100  #################------------------  step 234/468  loss 152.31 = 146.20 + 6.11  51234 samples/s "
       " ETA 1:38"},
      {93, "epoch   3/100  ####----  step 234/468  loss 152.31 = 146.20 + 6.11  51234 samples/s  ETA 1:38"},
      {76, "epoch   3/100  ####----  step 234/468  loss 152.31 = 146.20 + 6.11  ETA 1:38"},
      {62, "epoch   3/100  ####----  loss 152.31 = 146.20 + 6.11  ETA 1:38"},
      {61, "epoch   3/100  loss 152.31 = 146.20 + 6.11  ETA 1:38"},
      {45, "epoch   3/100  loss 152.31 = 146.20 + 6.11"},
      {20, "epoch   3/100"},
      {5, ""},
      {-1, ""},
  };
  for (const auto& [columns, line] : cases)
    EXPECT_EQ(BarLine(HalfOfThirdEpoch(), columns, false, false), line) << columns;
}

TEST(BarLine, FillsTheRoomUpToTheLongestBar) {
  const EpochProgress progress = HalfOfThirdEpoch();
  for (int columns = 93; columns < 130; ++columns) {
    EXPECT_LE(BarLine(progress, columns, false, false).size(), static_cast<std::size_t>(columns));
  }
  EXPECT_EQ(BarLine(progress, 1000, false, false).size(), BarLine(progress, 10000, false, false).size());
}

TEST(BarLine, DrawsShares) {
  EpochProgress progress = HalfOfThirdEpoch();
  const struct {
    std::int64_t step, steps;
    std::size_t filled;  // of the longest bar, 40
  } cases[] = {{0, 8, 0}, {1, 8, 5}, {7, 8, 35}, {8, 8, 40}, {9, 8, 40}, {0, 0, 0}, {3, 0, 40}};
  for (const auto& [step, steps, filled] : cases) {
    progress.step = step;
    progress.steps_per_epoch = steps;
    const std::string bar = "  " + std::string(filled, '#') + std::string(40 - filled, '-') + "  ";
    EXPECT_THAT(BarLine(progress, 1000, false, false), HasSubstr(bar)) << step << "/" << steps;
  }
  progress = HalfOfThirdEpoch();
  EXPECT_THAT(BarLine(progress, 62, true, false), HasSubstr("  ━━━━────  "));
  EXPECT_THAT(BarLine(progress, 62, false, true), HasSubstr("  \x1b[32m####\x1b[90m----\x1b[0m  "));
}

TEST(BarLine, EstimatesTheTimeLeft) {
  EpochProgress progress = {.epoch = 1, .epochs = 2, .step = 50, .steps_per_epoch = 100};
  const struct {
    double seconds;
    std::string time;
  } cases[] = {{1, "ETA 3 s"}, {30, "ETA 1:30"}, {1800, "ETA 1:30:00"}, {1e9, "ETA ?"}, {std::nan(""), "ETA ?"}};
  for (const auto& [seconds, time] : cases) {
    progress.seconds = seconds;
    EXPECT_THAT(BarLine(progress, 200, false, false), EndsWith(time)) << seconds;
  }
  progress.step = 0;
  EXPECT_THAT(BarLine(progress, 200, false, false), EndsWith("ETA ?"));
}

TEST(Progress, WritesOneLineAnEpochWhereThereIsNoTerminal) {
  Ends ends;
  OpenPipe(ends);
  {
    Progress progress(ProgressStyle::kAuto, ends.writer);
    for (int epoch = 0; epoch < 2; ++epoch) {
      progress.Update(HalfOfThirdEpoch());
      progress.FinishEpoch(HalfOfThirdEpoch());
    }
    progress.Update(HalfOfThirdEpoch());
  }
  EXPECT_EQ(ends.ReadAll(), std::string(kLine) + kLine);
}

TEST(Progress, DrawsABarOnATerminal) {
  const Variable term("TERM", "xterm"), no_colour("NO_COLOR", nullptr), locale("LC_ALL", "C.UTF-8");
  const std::string text = TerminalText(120);
  EXPECT_THAT(text, StartsWith("\x1b[?25l\r\x1b[K"
                               "epoch   3/100  \x1b[32m━━"));
  EXPECT_THAT(text, EndsWith(std::string("ETA 1:38\r\x1b[K\x1b[?25h") + kLine));
}

TEST(Progress, HonoursItsSurroundings) {
  const Variable term("TERM", "xterm"), no_colour("NO_COLOR", "1"), locale("LC_ALL", "C");
  EXPECT_THAT(TerminalText(120), AllOf(HasSubstr("####"), Not(HasSubstr("\x1b[3")), Not(HasSubstr("━"))));
  EXPECT_THAT(TerminalText(63), HasSubstr("epoch   3/100  ####----  loss 152.31 = 146.20 + 6.11  ETA 1:38\r"));
  EXPECT_EQ(TerminalText(120, ProgressStyle::kPlain), kLine);
  EXPECT_EQ(TerminalText(120, ProgressStyle::kNone), "");
  const Variable dumb("TERM", "dumb");
  EXPECT_EQ(TerminalText(120), kLine);
}

TEST(Progress, RestoresTheCursorWhenAnEpochIsCutShort) {
  const Variable term("TERM", "xterm");
  Ends ends;
  OpenTerminal(ends, 80);
  try {
    Progress progress(ProgressStyle::kAuto, ends.writer);
    progress.Update(HalfOfThirdEpoch());
    throw std::runtime_error("stop");
  } catch (const std::runtime_error&) {}
  EXPECT_THAT(ends.ReadAll(), EndsWith("\n\x1b[?25h"));
}

TEST(Progress, RedrawsAtMostTenTimesASecond) {
  const Variable term("TERM", "xterm");
  Ends ends;
  OpenTerminal(ends, 80);
  Progress progress(ProgressStyle::kAuto, ends.writer);
  EpochProgress state = HalfOfThirdEpoch();
  std::string draws;
  for (const double seconds : {0.5, 0.55, 0.61, 0.62, 0.80}) {
    state.seconds = seconds;
    progress.Update(state);
    draws += ends.ReadAll().empty() ? '-' : 'x';
  }
  state.epoch = 4;
  state.seconds = 0;
  progress.Update(state);
  draws += ends.ReadAll().empty() ? '-' : 'x';
  EXPECT_EQ(draws, "x-x-xx");
}

TEST(Progress, GoesOnWhenNobodyReads) {
  Ends ends;
  OpenPipe(ends);
  close(std::exchange(ends.writer, -1));
  Progress progress(ProgressStyle::kAuto, ends.writer);
  progress.Update(HalfOfThirdEpoch());
  progress.FinishEpoch(HalfOfThirdEpoch());
}

}  // namespace
}  // namespace weft
