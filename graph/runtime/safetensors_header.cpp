// Reading the header event by event: every event is either what the grammar expects next, or the end.
#include "weft/graph/runtime/safetensors_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "weft/graph/error.h"
#include "weft/graph/runtime/json_events.h"

namespace weft {
namespace {

// JSON numbers are doubles to many readers: beyond 2⁵³ they stop being integers.
constexpr uint64_t kLargestInteger = uint64_t{1} << 53;
constexpr size_t kShownBytes = 80;

constexpr std::array<std::pair<std::string_view, DType>, 4> kDTypes = {
    {{"F32", DType::kFloat32}, {"F64", DType::kFloat64}, {"I64", DType::kInt64}, {"BOOL", DType::kBool}}};
constexpr std::array<std::string_view, 18> kOtherDTypes = {
    "F4",          "F6_E2M3", "F6_E3M2", "U8",  "I8",   "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ",
    "F8_E5M2FNUZ", "I16",     "U16",     "F16", "BF16", "I32",     "U32",     "C64",     "U64"};

// The events of one header.
class HeaderReader {
 public:
  explicit HeaderReader(const std::string& file) : file_(file) {}

  HeaderContent TakeContent() { return std::move(content_); }

  void Take(JsonEvent event, std::string_view text) {
    switch (event) {
      case JsonEvent::kObject: return BeginObject();
      case JsonEvent::kEndObject: return EndObject();
      case JsonEvent::kList: return BeginList();
      case JsonEvent::kEndList: return EndList();
      case JsonEvent::kKey: return Key(text);
      case JsonEvent::kString: return String(text);
      case JsonEvent::kNumber: return Number(text);
      case JsonEvent::kLiteral: Unexpected(text);
    }
  }

 private:
  enum class Place { kTop, kRoot, kMetadata, kTensor, kIntegers };

  void Number(std::string_view text) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (place_ != Place::kIntegers || error != std::errc() || end != text.data() + text.size() ||
        value > kLargestInteger) {
      Unexpected(text);
    }
    const size_t most = field_ == "shape" ? Shape::kMaxRank : 2;
    if (integers_.size() == most) {
      Refuse(What(), file_,
             fmt::format("got more than {} integers, expected {}", most, field_ == "shape" ? "at most so many" : "2"));
    }
    integers_.push_back(static_cast<int64_t>(value));
  }

  void String(std::string_view value) {
    if (place_ == Place::kMetadata) {
      AddMetadata(value);
    } else if (place_ == Place::kTensor && field_ == "dtype") {
      dtype_ = ParseDTypeName(value);
    } else {
      Unexpected(Shown(JsonEvent::kString, value));
    }
  }

  void BeginObject() {
    if (place_ == Place::kTop) {
      place_ = Place::kRoot;
    } else if (place_ == Place::kRoot) {
      place_ = key_ == kMetadataKey ? Place::kMetadata : Place::kTensor;
    } else {
      Unexpected("an object");
    }
  }

  void EndObject() {
    if (place_ == Place::kTensor) AddTensor();
    place_ = Place::kRoot;
  }

  void BeginList() {
    if (place_ != Place::kTensor || field_ == "dtype") Unexpected("a list");
    place_ = Place::kIntegers;
    integers_.clear();
  }

  void EndList() {
    if (field_ == "shape") {
      try {
        shape_ = Shape(std::vector<Dim>(integers_.begin(), integers_.end()));
      } catch (const ResourceError& error) {
        Refuse(What(), file_, fmt::format("overflow: {}", error.what()));
      }
    } else {
      if (integers_.size() != 2) Refuse(What(), file_, fmt::format("got {} integers, expected 2", integers_.size()));
      range_ = {static_cast<uint64_t>(integers_[0]), static_cast<uint64_t>(integers_[1])};
    }
    place_ = Place::kTensor;
  }

  void Key(std::string_view key) {
    if (place_ == Place::kRoot) {
      StartValue(key);
    } else if (place_ == Place::kMetadata) {
      field_ = key;
    } else {
      StartField(key);
    }
  }

  void StartValue(std::string_view key) {
    if (key.size() > Path::kMaxBytes) {
      Refuse("tensor name", file_, fmt::format("got {} bytes, expected at most {}", key.size(), Path::kMaxBytes));
    }
    if (!keys_.emplace(key).second) Refuse("header", file_, fmt::format("got '{}' twice", Escaped(key, kShownBytes)));
    if (content_.entries.size() == SafetensorsLimits::kTensors && key != kMetadataKey) {
      Refuse("header", file_, fmt::format("got more than {} tensors, the limit", SafetensorsLimits::kTensors));
    }
    key_ = key;
    field_.clear();
    dtype_.reset();
    shape_.reset();
    range_.reset();
  }

  void StartField(std::string_view key) {
    field_ = key;
    if (key != "dtype" && key != "shape" && key != "data_offsets") {
      Refuse(fmt::format("tensor '{}'", Escaped(key_, kShownBytes)), file_,
             fmt::format("got '{}', expected dtype, shape and data_offsets", Escaped(key, kShownBytes)));
    }
    const bool again = key == "dtype" ? dtype_.has_value() : key == "shape" ? shape_.has_value() : range_.has_value();
    if (again) {
      Refuse(fmt::format("tensor '{}'", Escaped(key_, kShownBytes)), file_, fmt::format("got '{}' twice", key));
    }
  }

  void AddMetadata(std::string_view value) {
    if (field_ != kChecksumsKey && field_ != kMetadataChecksumKey) metadata_bytes_ += field_.size() + value.size();
    if (metadata_bytes_ > SafetensorsLimits::kMetadataBytes) {
      Refuse("__metadata__", file_,
             fmt::format("got more than {} bytes, the limit", SafetensorsLimits::kMetadataBytes));
    }
    if (!content_.metadata.emplace(field_, value).second) {
      Refuse("__metadata__", file_, fmt::format("got '{}' twice", Escaped(field_, kShownBytes)));
    }
  }

  void AddTensor() {
    for (const auto& [field, present] : {std::pair("dtype", dtype_.has_value()),
                                         {"shape", shape_.has_value()},
                                         {"data_offsets", range_.has_value()}}) {
      if (!present) {
        Refuse(fmt::format("tensor '{}'", Escaped(key_, kShownBytes)), file_, fmt::format("got no {}", field));
      }
    }
    try {
      content_.entries.push_back(
          {.name = Path(key_), .dtype = *dtype_, .shape = *shape_, .begin = range_->first, .end = range_->second});
    } catch (const GraphError& error) {
      Refuse("tensor name", file_, error.what());
    }
  }

  DType ParseDTypeName(std::string_view name) const {
    for (const auto& [known, dtype] : kDTypes) {
      if (known == name) return dtype;
    }
    const bool exists = std::ranges::find(kOtherDTypes, name) != kOtherDTypes.end();
    Refuse(What(), file_,
           fmt::format("got \"{}\"{}, expected F32, F64, I64 or BOOL", Escaped(name, 40),
                       exists ? ", which is not supported" : ""));
  }

  // The place that is being read, and what belongs there.
  std::string What() const {
    if (place_ == Place::kTop) return "header";
    if (place_ == Place::kMetadata) return fmt::format("__metadata__ '{}'", Escaped(field_, kShownBytes));
    if (key_ == kMetadataKey) return key_;
    const std::string tensor = fmt::format("tensor '{}'", Escaped(key_, kShownBytes));
    return place_ == Place::kRoot ? tensor : fmt::format("{} of {}", field_, tensor);
  }

  std::string Expected() const {
    switch (place_) {
      case Place::kTop: return "an object";
      case Place::kRoot: return key_ == kMetadataKey ? "an object of strings" : "an object";
      case Place::kMetadata: return "a string";
      case Place::kTensor: return field_ == "dtype" ? "a string" : "a list of integers";
      case Place::kIntegers: return fmt::format("an integer from 0 to {}", kLargestInteger);
    }
    return "";
  }

  [[noreturn]] void Unexpected(std::string_view got) const {
    Refuse(What(), file_, fmt::format("got {}, expected {}", Escaped(got, 40), Expected()));
  }

  const std::string& file_;
  HeaderContent content_;
  std::unordered_set<std::string> keys_;
  size_t metadata_bytes_ = 0;
  Place place_ = Place::kTop;
  std::string key_, field_;
  std::vector<int64_t> integers_;
  std::optional<DType> dtype_;
  std::optional<Shape> shape_;
  std::optional<std::pair<uint64_t, uint64_t>> range_;
};

std::string_view DTypeName(DType dtype) {
  return std::ranges::find(kDTypes, dtype, &std::pair<std::string_view, DType>::second)->first;
}

}  // namespace

void Refuse(std::string_view what, const std::string& file, std::string_view reason) {
  throw CheckpointError(fmt::format("{}: {}: {}", what, file, reason));
}

HeaderContent ParseHeader(std::string_view text, const std::string& file) {
  HeaderReader reader(file);
  const std::string problem = ReadJson(text, [&](JsonEvent event, std::string_view of) { reader.Take(event, of); });
  if (!problem.empty()) Refuse("header", file, problem);
  return reader.TakeContent();
}

std::string HeaderText(std::span<const SafetensorsEntry> entries, const std::map<std::string, std::string>& metadata) {
  std::vector<std::string> members;
  if (!metadata.empty()) members.push_back(fmt::format("{}:{}", JsonString(kMetadataKey), ObjectText(metadata)));
  for (const SafetensorsEntry& entry : entries) {
    std::vector<int64_t> lengths;
    for (Dim dim : entry.shape) lengths.push_back(dim.length());
    members.push_back(fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}",
                                  JsonString(entry.name.str()), DTypeName(entry.dtype), fmt::join(lengths, ","),
                                  entry.begin, entry.end));
  }
  return fmt::format("{{{}}}", fmt::join(members, ","));
}

std::string ObjectText(const std::map<std::string, std::string>& strings) {
  std::vector<std::string> members;
  members.reserve(strings.size());
  for (const auto& [key, value] : strings) members.push_back(fmt::format("{}:{}", JsonString(key), JsonString(value)));
  return fmt::format("{{{}}}", fmt::join(members, ","));
}

std::map<std::string, std::string> ParseChecksums(std::string_view text, const std::string& file) {
  const auto refuse = [&file](std::string_view reason) { Refuse("checksums", file, reason); };
  std::map<std::string, std::string> checksums;
  std::string key;
  bool is_inside = false;
  const std::string problem = ReadJson(text, [&](JsonEvent event, std::string_view of) {
    if (event == JsonEvent::kEndObject) return;
    if (is_inside ? event != JsonEvent::kKey && event != JsonEvent::kString : event != JsonEvent::kObject) {
      refuse(fmt::format("got {}, expected {}", Escaped(Shown(event, of), 40),
                         is_inside ? "a string" : "an object of strings"));
    }
    is_inside = true;
    if (event == JsonEvent::kKey) key = of;
    if (event != JsonEvent::kString) return;
    if (!checksums.emplace(key, of).second) refuse(fmt::format("got '{}' twice", Escaped(key, kShownBytes)));
    if (checksums.size() > SafetensorsLimits::kTensors) refuse("got too many");
  });
  if (!problem.empty()) refuse(problem);
  return checksums;
}

}  // namespace weft
