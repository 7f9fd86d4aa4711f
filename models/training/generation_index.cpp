// The index as JSON.
#include "weft/models/training/generation_index.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "weft/graph/error.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr uint64_t kMaxBytes = uint64_t{1} << 24;  // 200,000 generations of 80 bytes

std::string WeightsName(int64_t step) { return fmt::format("model-{}.safetensors", step); }
std::string StateName(int64_t step) { return fmt::format("model-{}.state.safetensors", step); }

int64_t Step(const Json& json) {
  if (!json.is_number_unsigned() || json.get<uint64_t>() > INT64_MAX) {
    throw CheckpointError(fmt::format("step: got {}", Escaped(json.dump(), 40)));
  }
  return json.get<int64_t>();
}

// Throws what the parser throws; ResourceError for an index of a newer version.
GenerationIndex ParseIndex(const std::string& text, const fs::path& directory) {
  const auto is_flat = [](int depth, Json::parse_event_t, Json&) {
    if (depth > 3) throw CheckpointError("got more than three levels");
    return true;
  };
  const Json json = Json::parse(text, is_flat);
  if (const int format = json.at("format").get<int>(); format > kFormat) {
    throw ResourceError(fmt::format("format version: got {}, expected {}", format, kFormat));
  }
  std::set<int64_t> steps;
  GenerationIndex index;
  for (const Json& entry : json.at("generations")) {
    Generation generation = GenerationAt(directory, Step(entry.at("step")));
    generation.epoch = entry.at("epoch").get<int64_t>();
    if (!entry.at("loss").is_null()) generation.loss = entry.at("loss").get<double>();
    if (!steps.insert(generation.step).second) throw CheckpointError(fmt::format("got step {} twice", generation.step));
    index.generations.push_back(std::move(generation));
  }
  for (const Json& step : json.at("dropped")) {
    index.dropped.push_back(Step(step));
    if (!steps.insert(Step(step)).second) throw CheckpointError(fmt::format("got step {} twice", Step(step)));
  }
  std::ranges::sort(index.generations, {}, &Generation::step);
  return index;
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
  } catch (const Json::exception& error) {
    return damaged(error.what());
  }
}

std::string GenerationIndexText(const GenerationIndex& index, const std::optional<Generation>& best) {
  Json json = {{"format", kFormat},
               {"best", best ? Json(best->step) : Json()},
               {"generations", Json::array()},
               {"dropped", index.dropped}};
  for (const Generation& generation : index.generations) {
    json["generations"].push_back({{"step", generation.step},
                                   {"epoch", generation.epoch},
                                   {"loss", generation.loss ? Json(*generation.loss) : Json()}});
  }
  return json.dump(1) + "\n";
}

}  // namespace weft
