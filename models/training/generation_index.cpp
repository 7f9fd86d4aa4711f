// The index as JSON.
#include "weft/models/training/generation_index.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "weft/graph/error.h"
#include "weft/graph/runtime/json_events.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kFormat = 1;
constexpr uint64_t kMaxBytes = uint64_t{1} << 24;  // 200,000 generations of 80 bytes

std::string WeightsName(int64_t step) { return fmt::format("model-{}.safetensors", step); }
std::string StateName(int64_t step) { return fmt::format("model-{}.state.safetensors", step); }

// The events of an index: {"format": 1, "best": …, "generations": [{"step": …, "epoch": …, "loss": …}], "dropped": […]}
class IndexReader {
 public:
  explicit IndexReader(const fs::path& directory) : directory_(directory) {}

  GenerationIndex TakeIndex() {
    if (keys_.size() != 4) throw CheckpointError("got not all of format, best, generations and dropped");
    std::ranges::sort(index_.generations, {}, &Generation::step);
    return std::move(index_);
  }

  void Take(JsonEvent event, std::string_view text) {
    const bool begins = event == JsonEvent::kObject || event == JsonEvent::kList;
    const bool ends = event == JsonEvent::kEndObject || event == JsonEvent::kEndList;
    if (begins) Begin(event);
    else if (ends) End();
    else if (event == JsonEvent::kKey) Key(text);
    else Value(event, text);
  }

 private:
  enum class Place { kTop, kIndex, kGenerations, kGeneration, kDropped };

  [[noreturn]] static void Unexpected(JsonEvent event, std::string_view text) {
    throw CheckpointError(fmt::format("got {} where none belongs", Escaped(Shown(event, text), 40)));
  }

  void Begin(JsonEvent event) {
    const bool is_object = event == JsonEvent::kObject;
    if (place_ == Place::kTop && is_object) place_ = Place::kIndex;
    else if (place_ == Place::kIndex && !is_object && key_ == "generations") place_ = Place::kGenerations;
    else if (place_ == Place::kIndex && !is_object && key_ == "dropped") place_ = Place::kDropped;
    else if (place_ == Place::kGenerations && is_object) place_ = Place::kGeneration, fields_.clear(), generation_ = {};
    else Unexpected(event, "");
  }

  void End() {
    if (place_ == Place::kGeneration) {
      if (fields_.size() != 3) throw CheckpointError("got a generation without step, epoch or loss");
      index_.generations.push_back(std::move(generation_));
      place_ = Place::kGenerations;
    } else {
      place_ = Place::kIndex;
    }
  }

  void Key(std::string_view key) {
    const bool is_field = place_ == Place::kGeneration;
    const bool is_known = is_field ? key == "step" || key == "epoch" || key == "loss"
                                   : key == "format" || key == "best" || key == "generations" || key == "dropped";
    if (!is_known || !(is_field ? fields_ : keys_).emplace(key).second) Unexpected(JsonEvent::kKey, key);
    key_ = key;
  }

  void Value(JsonEvent event, std::string_view text) {
    const bool is_null = event == JsonEvent::kLiteral && text == "null";
    if (place_ == Place::kDropped) {
      index_.dropped.push_back(FreshStep(event, text));
    } else if (place_ == Place::kIndex && key_ == "format") {
      RequireFormat(Whole(event, text));
    } else if (place_ == Place::kIndex && key_ == "best") {
      if (!is_null) Whole(event, text);  // follows from the losses
    } else if (place_ == Place::kGeneration && key_ == "step") {
      const Generation at = GenerationAt(directory_, FreshStep(event, text));
      generation_.step = at.step, generation_.weights = at.weights, generation_.state = at.state;
    } else if (place_ == Place::kGeneration && key_ == "epoch") {
      generation_.epoch = Whole(event, text);
    } else if (place_ == Place::kGeneration && key_ == "loss") {
      if (!is_null) generation_.loss = Number<double>(event, text);
    } else {
      Unexpected(event, text);
    }
  }

  template <class T>
  static T Number(JsonEvent event, std::string_view text) {
    T number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (event != JsonEvent::kNumber || error != std::errc() || end != text.data() + text.size())
      Unexpected(event, text);
    return number;
  }

  // 0 or more; 1.5 is none.
  static int64_t Whole(JsonEvent event, std::string_view text) {
    const auto number = Number<int64_t>(event, text);
    if (text.starts_with('-')) Unexpected(event, text);
    return number;
  }

  int64_t FreshStep(JsonEvent event, std::string_view text) {
    const int64_t step = Whole(event, text);
    if (!steps_.insert(step).second) throw CheckpointError(fmt::format("got step {} twice", step));
    return step;
  }

  static void RequireFormat(int64_t format) {
    if (format > kFormat) throw ResourceError(fmt::format("format version: got {}, expected {}", format, kFormat));
  }

  const fs::path& directory_;
  GenerationIndex index_;
  Place place_ = Place::kTop;
  std::set<std::string, std::less<>> keys_, fields_;  // seen so far, of the index and of the generation
  std::string key_;
  Generation generation_;
  std::set<int64_t> steps_;
};

// Throws ResourceError for an index of a newer version, CheckpointError for text that is none.
GenerationIndex ParseIndex(std::string_view text, const fs::path& directory) {
  IndexReader reader(directory);
  const std::string problem = ReadJson(text, [&](JsonEvent event, std::string_view of) { reader.Take(event, of); });
  if (!problem.empty()) throw CheckpointError(problem);
  return reader.TakeIndex();
}

}  // namespace

Generation GenerationAt(const fs::path& directory, int64_t step) {
  return {.step = step, .weights = directory / WeightsName(step), .state = directory / StateName(step)};
}

std::optional<int64_t> StepOf(const std::string& name) {
  int64_t step = -1;
  const std::string_view prefix = "model-";
  if (!name.starts_with(prefix)) return std::nullopt;
  std::from_chars(name.data() + prefix.size(), name.data() + name.size(), step);
  return step >= 0 && (name == WeightsName(step) || name == StateName(step)) ? std::optional(step) : std::nullopt;
}

GenerationIndex ReadGenerationIndex(const fs::path& directory) {
  const FileSystem system;
  const fs::path path = directory / kIndexName;
  if (!fs::exists(fs::symlink_status(path))) return {};
  const auto damaged = [&path](std::string_view reason) {
    return GenerationIndex{.problem = fmt::format("index: {}: {}", Escaped(path.string(), 400), Escaped(reason))};
  };
  try {
    const InputFile file(system, path);
    if (file.size() > kMaxBytes) {
      return damaged(fmt::format("got {} bytes, expected at most {}", file.size(), kMaxBytes));
    }
    std::string text(file.size(), '\0');
    file.Read(0, std::as_writable_bytes(std::span(text)));
    return ParseIndex(text, directory);
  } catch (const ResourceError& error) {
    throw CheckpointError(damaged(error.what()).problem);
  } catch (const CheckpointError& error) {
    return damaged(error.what());
  }
}

std::string GenerationIndexText(const GenerationIndex& index, const std::optional<Generation>& best) {
  const auto text = [](const auto& number) { return number ? fmt::format("{}", *number) : std::string("null"); };
  std::vector<std::string> generations;
  for (const Generation& each : index.generations) {
    generations.push_back(
        fmt::format("\n  {{\"step\": {}, \"epoch\": {}, \"loss\": {}}}", each.step, each.epoch, text(each.loss)));
  }
  const std::optional<int64_t> best_step = best ? std::optional(best->step) : std::nullopt;
  return fmt::format("{{\"format\": {},\n \"best\": {},\n \"generations\": [{}],\n \"dropped\": [{}]}}\n", kFormat,
                     text(best_step), fmt::join(generations, ","), fmt::join(index.dropped, ", "));
}

}  // namespace weft
