// Writing and reading progress: numbers in decimal, sums in hexadecimal, so that they come back bit by bit.
#include "weft/models/training/fit_progress.h"

#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "weft/graph/error.h"

namespace weft {
namespace {

constexpr std::string_view kFormat = "1";  // the order of samples and the meaning of the keys

std::string Sentence(std::string_view key, std::string_view got, std::string_view expected) {
  return fmt::format("resume: {}: got '{}', expected {}", key, Escaped(got, 80), expected);
}

[[noreturn]] void Fail(std::string_view key, std::string_view got, std::string_view expected) {
  throw CheckpointError(Sentence(key, got, expected));
}

std::string_view Text(const Metadata& metadata, const std::string& key) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) Fail(key, "", "it in the checkpoint");
  return found->second;
}

template <class T>
T Number(const Metadata& metadata, const std::string& key) {
  const std::string_view text = Text(metadata, key);
  T number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) Fail(key, text, "a number");
  return number;
}

// "-1.8p+1", as from_chars reads it.
std::string HexText(double number) {
  std::string text(32, '\0');
  text.resize(static_cast<size_t>(
      std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::hex).ptr - text.data()));
  return text;
}

double HexNumber(const Metadata& metadata, const std::string& key) {
  const std::string_view text = Text(metadata, key);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::hex);
  if (error != std::errc() || end != text.data() + text.size()) Fail(key, text, "a hexadecimal number");
  return number;
}

std::vector<std::string> SumKeys(const FitRun& run) {
  std::vector<std::string> keys = {"sum.loss"};
  for (const std::string& name : run.watched) keys.push_back("sum.watched." + name);
  return keys;
}

Metadata ToMetadata(const FitRun& run) {
  const auto text = [](auto number) { return fmt::format("{}", number); };
  return {{"fit_format", std::string(kFormat)},
          {"seed", text(run.seed)},
          {"session_seed", text(run.session_seed)},
          {"batch", text(run.batch)},
          {"shuffle", run.shuffle ? "yes" : "no"},
          {"samples", text(run.samples)},
          {"data_checksum", run.data},
          {"numerics", run.numerics}};
}

// Without these the run can go on, though not with the bits that it would have had.
bool MayDiffer(std::string_view key) { return key == "samples" || key == "data_checksum" || key == "numerics"; }

}  // namespace

Metadata ToMetadata(const FitProgress& progress, const FitRun& run) {
  Metadata metadata = ToMetadata(run);
  metadata["epoch"] = fmt::format("{}", progress.epoch);
  metadata["step"] = fmt::format("{}", progress.step);
  metadata["position"] = fmt::format("{}", progress.position);
  metadata["run_number"] = fmt::format("{}", progress.run_number);
  const std::vector<std::string> keys = SumKeys(run);
  for (size_t i = 0; i < keys.size(); ++i) metadata[keys[i]] = HexText(progress.sums[i]);
  return metadata;
}

FitProgress ParseProgress(const Metadata& metadata, const FitRun& run,
                          const std::function<void(const std::string&)>& on_different) {
  for (const auto& [key, own] : ToMetadata(run)) {
    if (Text(metadata, key) == own) continue;
    const std::string expected = fmt::format("'{}' as in the checkpoint", Escaped(Text(metadata, key), 80));
    if (on_different == nullptr || !MayDiffer(key)) Fail(key, own, expected);
    on_different(Sentence(key, own, expected));
  }
  FitProgress progress = {.epoch = Number<int64_t>(metadata, "epoch"),
                          .step = Number<int64_t>(metadata, "step"),
                          .position = Number<int64_t>(metadata, "position"),
                          .run_number = Number<uint64_t>(metadata, "run_number")};
  if (progress.epoch < 0 || progress.step < 0) Fail("step", Text(metadata, "step"), "numbers that are not negative");
  // A whole number of batches, short of the end: an epoch's end is the next one's beginning.
  if (progress.position < 0 || progress.position >= run.samples || progress.position % run.batch != 0) {
    Fail("position", Text(metadata, "position"), "the end of a batch");
  }
  // Between two epochs there is nothing to sum up, so other nodes may be watched from here on.
  for (const std::string& key : SumKeys(run)) {
    progress.sums.push_back(progress.position == 0 ? 0 : HexNumber(metadata, key));
  }
  return progress;
}

}  // namespace weft
