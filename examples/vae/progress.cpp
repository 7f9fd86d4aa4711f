// Lines are composed by functions of their numbers alone; the class decides only whether and where they are written.
#include "weft/examples/vae/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace weft {
namespace {

constexpr std::string_view kHideCursor = "\x1b[?25l";
constexpr std::string_view kShowCursor = "\x1b[?25h";
constexpr std::string_view kClearLine = "\r\x1b[K";
constexpr double kSecondsBetweenBars = 0.1;  // faster than this nobody reads
constexpr std::string_view kBetween = "  ";
constexpr std::size_t kShortestBar = 8, kLongestBar = 40;

std::string_view Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// The locale by the rule of POSIX: the first of these that is set and not empty.
bool LocaleIsUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value(Environment(name));
    if (value.empty()) continue;
    std::ranges::transform(value, value.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

std::size_t Columns(int descriptor) {
  winsize size{};
  constexpr std::size_t kUnknown = 80;
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUnknown;
}

/// "7 s", "3:21", "1:02:03"; "?" for a time that is not known.
std::string Duration(double seconds) {
  constexpr double kLongest = 3600.0 * 1000;
  if (!(seconds >= 0 && seconds < kLongest)) return "?";
  const auto whole = static_cast<std::int64_t>(std::ceil(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

/// Two decimals, but a loss that has exploded must not fill the line with its digits.
std::string Number(double value) {
  return std::abs(value) < 1e7 ? fmt::format("{:.2f}", value) : fmt::format("{:.3g}", value);
}

std::string Loss(const EpochProgress& progress) {
  return fmt::format("loss {} = {} + {}", Number(progress.loss), Number(progress.reconstruction), Number(progress.kl));
}

/// As wide as the last epoch, so that the lines stand under each other.
std::string Count(std::string_view name, std::int64_t value, std::int64_t of) {
  const std::string last = std::to_string(of);
  return fmt::format("{}{:>{}}/{}", name, value, last.size(), last);
}

/// Time for all steps that are left, at the mean speed of this epoch.
double SecondsLeft(const EpochProgress& progress) {
  const auto done = static_cast<double>(progress.step);
  const double epochs_left = static_cast<double>(progress.epochs - progress.epoch);
  const double steps_left = (epochs_left + 1) * static_cast<double>(progress.steps_per_epoch) - done;
  return done > 0 ? progress.seconds / done * steps_left : -1;
}

std::string Bar(double share, std::size_t width, bool unicode, bool colour) {
  const auto filled = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width));
  std::string done, left;
  for (std::size_t i = 0; i < filled; ++i) done += unicode ? "━" : "#";
  for (std::size_t i = filled; i < width; ++i) left += unicode ? "─" : "-";
  return colour ? fmt::format("\x1b[32m{}\x1b[90m{}\x1b[0m", done, left) : done + left;
}

}  // namespace

std::string EpochLine(const EpochProgress& progress) {
  return fmt::format("{}  {}  {:.0f} samples/s  {:.1f} s", Count("epoch ", progress.epoch, progress.epochs),
                     Loss(progress), progress.samples_per_second, progress.seconds);
}

std::string BarLine(const EpochProgress& progress, int columns, bool unicode, bool colour) {
  enum Part : std::size_t { kEpoch, kBar, kStep, kLoss, kSpeed, kTime, kParts };  // from left to right
  std::array<std::string, kParts> texts;                                          // all ASCII: a byte is a column
  texts[kEpoch] = Count("epoch ", progress.epoch, progress.epochs);
  texts[kBar] = std::string(kShortestBar, ' ');
  texts[kStep] = Count("step ", progress.step, progress.steps_per_epoch);
  texts[kLoss] = Loss(progress);
  texts[kSpeed] = fmt::format("{:.0f} samples/s", progress.samples_per_second);
  texts[kTime] = "ETA " + Duration(SecondsLeft(progress));

  const auto room = static_cast<std::size_t>(std::max(columns, 0));
  std::array<bool, kParts> shown{};
  std::size_t used = 0;
  for (const Part part : {kEpoch, kLoss, kTime, kBar, kStep, kSpeed}) {  // the first without room ends the line
    const std::size_t needed = texts[part].size() + (used > 0 ? kBetween.size() : 0);
    if (used + needed > room) break;
    used += needed;
    shown[part] = true;
  }
  if (shown[kBar]) {
    const double steps = static_cast<double>(std::max<std::int64_t>(progress.steps_per_epoch, 1));
    texts[kBar] = Bar(static_cast<double>(progress.step) / steps, std::min(kShortestBar + room - used, kLongestBar),
                      unicode, colour);
  }
  std::string line;
  for (std::size_t part = 0; part < kParts; ++part) {
    if (shown[part]) line.append(line.empty() ? "" : kBetween).append(texts[part]);
  }
  return line;
}

Progress::Progress(ProgressStyle style, int descriptor)
    : descriptor_(descriptor),
      silent_(style == ProgressStyle::kNone),
      live_(style == ProgressStyle::kAuto && isatty(descriptor) == 1 && Environment("TERM") != "dumb"),
      colour_(Environment("NO_COLOR").empty()),
      unicode_(LocaleIsUtf8()) {}

Progress::~Progress() {
  if (bar_stands_) Write("\n" + std::string(kShowCursor));
}

void Progress::Update(const EpochProgress& progress) {
  if (silent_ || !live_) return;
  const bool soon = progress.epoch == drawn_epoch_ && progress.seconds - drawn_seconds_ < kSecondsBetweenBars;
  if (soon) return;
  // One column stays free: some terminals wrap as soon as the last one is written.
  const int columns = static_cast<int>(Columns(descriptor_)) - 1;
  Write(
      fmt::format("{}{}{}", bar_stands_ ? "" : kHideCursor, kClearLine, BarLine(progress, columns, unicode_, colour_)));
  bar_stands_ = true;
  drawn_epoch_ = progress.epoch;
  drawn_seconds_ = progress.seconds;
}

void Progress::FinishEpoch(const EpochProgress& progress) {
  if (silent_) return;
  std::string line;
  if (bar_stands_) line = fmt::format("{}{}", kClearLine, kShowCursor);
  Write(line + EpochLine(progress) + "\n");
  bar_stands_ = false;
}

void Progress::Write(const std::string& text) const {
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // a training does not end because nobody watches it
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace weft
