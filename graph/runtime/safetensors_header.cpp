// Reading the header event by event: every event is either what the grammar expects next, or the end.
#include "weft/graph/runtime/safetensors_header.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "weft/graph/error.h"

namespace weft {
namespace {

using Json = nlohmann::json;

// JSON numbers are doubles to many readers: beyond 2⁵³ they stop being integers.
constexpr uint64_t kLargestInteger = uint64_t{1} << 53;
constexpr size_t kShownBytes = 80;

constexpr std::array<std::pair<std::string_view, DType>, 4> kDTypes = {
    {{"F32", DType::kFloat32}, {"F64", DType::kFloat64}, {"I64", DType::kInt64}, {"BOOL", DType::kBool}}};
constexpr std::array<std::string_view, 18> kOtherDTypes = {
    "F4",          "F6_E2M3", "F6_E3M2", "U8",  "I8",   "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ",
    "F8_E5M2FNUZ", "I16",     "U16",     "F16", "BF16", "I32",     "U32",     "C64",     "U64"};

// The events of one header. The members with lower-case names are called by the JSON parser.
class HeaderReader {
 public:
  explicit HeaderReader(const std::string& file) : file_(file) {}

  HeaderContent TakeContent() { return std::move(content_); }

  bool null() { Unexpected("null"); }
  bool boolean(bool value) { Unexpected(value ? "true" : "false"); }
  bool number_integer(int64_t value) {
    Unexpected(value == 0 ? "-0" : fmt::format("{}", value));
  }  // only negative ones
  bool number_float(double, const std::string& literal) { Unexpected(literal); }
  bool binary(Json::binary_t&) { Unexpected("binary"); }

  bool number_unsigned(uint64_t value) {
    if (place_ != Place::kIntegers || value > kLargestInteger) Unexpected(fmt::format("{}", value));
    const size_t most = field_ == "shape" ? Shape::kMaxRank : 2;
    if (integers_.size() == most) {
      Refuse(What(), file_,
             fmt::format("got more than {} integers, expected {}", most, field_ == "shape" ? "at most so many" : "2"));
    }
    integers_.push_back(static_cast<int64_t>(value));
    return true;
  }

  bool string(std::string& value) {
    if (place_ == Place::kMetadata) {
      AddMetadata(value);
    } else if (place_ == Place::kTensor && field_ == "dtype") {
      dtype_ = ParseDTypeName(value);
    } else {
      Unexpected(fmt::format("\"{}\"", value));
    }
    return true;
  }

  bool start_object(size_t) {
    if (place_ == Place::kTop) {
      place_ = Place::kRoot;
    } else if (place_ == Place::kRoot) {
      place_ = key_ == kMetadataKey ? Place::kMetadata : Place::kTensor;
    } else {
      Unexpected("an object");
    }
    return true;
  }

  bool end_object() {
    if (place_ == Place::kTensor) AddTensor();
    place_ = Place::kRoot;
    return true;
  }

  bool start_array(size_t) {
    if (place_ != Place::kTensor || field_ == "dtype") Unexpected("a list");
    place_ = Place::kIntegers;
    integers_.clear();
    return true;
  }

  bool end_array() {
    if (field_ == "shape") {
      shape_ = Shape(std::vector<Dim>(integers_.begin(), integers_.end()));
    } else {
      if (integers_.size() != 2) Refuse(What(), file_, fmt::format("got {} integers, expected 2", integers_.size()));
      range_ = {static_cast<uint64_t>(integers_[0]), static_cast<uint64_t>(integers_[1])};
    }
    place_ = Place::kTensor;
    return true;
  }

  bool key(std::string& key) {
    if (place_ == Place::kRoot) {
      StartValue(key);
    } else if (place_ == Place::kMetadata) {
      field_ = key;
    } else {
      StartField(key);
    }
    return true;
  }

  bool parse_error(size_t position, const std::string&, const Json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 9: REASON"
    const std::string_view text = error.what();
    const size_t reason = text.find(": ");
    Refuse("header", file_,
           fmt::format("got no JSON at byte {} of it: {}", position,
                       Escaped(text.substr(reason == std::string_view::npos ? 0 : reason + 2))));
  }

 private:
  enum class Place { kTop, kRoot, kMetadata, kTensor, kIntegers };

  void StartValue(const std::string& key) {
    if (key.size() > Path::kMaxBytes) {
      Refuse("tensor name", file_, fmt::format("got {} bytes, expected at most {}", key.size(), Path::kMaxBytes));
    }
    if (!keys_.insert(key).second) Refuse("header", file_, fmt::format("got '{}' twice", Escaped(key, kShownBytes)));
    if (content_.entries.size() == SafetensorsLimits::kTensors && key != kMetadataKey) {
      Refuse("header", file_, fmt::format("got more than {} tensors, the limit", SafetensorsLimits::kTensors));
    }
    key_ = key;
    field_.clear();
    dtype_.reset();
    shape_.reset();
    range_.reset();
  }

  void StartField(const std::string& key) {
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

  void AddMetadata(std::string& value) {
    if (field_ != kChecksumsKey && field_ != kMetadataChecksumKey) metadata_bytes_ += field_.size() + value.size();
    if (metadata_bytes_ > SafetensorsLimits::kMetadataBytes) {
      Refuse("__metadata__", file_,
             fmt::format("got more than {} bytes, the limit", SafetensorsLimits::kMetadataBytes));
    }
    if (!content_.metadata.emplace(field_, std::move(value)).second) {
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

  DType ParseDTypeName(const std::string& name) const {
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

std::string Quoted(std::string_view text) {
  try {
    return Json(text).dump();
  } catch (const Json::exception&) {
    throw GraphError(fmt::format("checkpoint: '{}': is not UTF-8", Escaped(text, kShownBytes)));
  }
}

// The parser would take one for the end of the text, and pass over what is behind it.
void RefuseZeros(std::string_view what, std::string_view text, const std::string& file) {
  const size_t zero = text.find('\0');
  if (zero != std::string_view::npos) Refuse(what, file, fmt::format("got a zero byte at byte {} of it", zero));
}

std::string_view DTypeName(DType dtype) {
  return std::ranges::find(kDTypes, dtype, &std::pair<std::string_view, DType>::second)->first;
}

}  // namespace

void Refuse(std::string_view what, const std::string& file, std::string_view reason) {
  throw CheckpointError(fmt::format("{}: {}: {}", what, file, reason));
}

HeaderContent ParseHeader(std::string_view text, const std::string& file) {
  RefuseZeros("header", text, file);
  HeaderReader reader(file);
  Json::sax_parse(text.begin(), text.end(), &reader);
  return reader.TakeContent();
}

std::string HeaderText(std::span<const SafetensorsEntry> entries, const std::map<std::string, std::string>& metadata) {
  std::vector<std::string> members;
  if (!metadata.empty()) members.push_back(fmt::format("{}:{}", Quoted(kMetadataKey), ObjectText(metadata)));
  for (const SafetensorsEntry& entry : entries) {
    std::vector<int64_t> lengths;
    for (Dim dim : entry.shape) lengths.push_back(dim.length());
    members.push_back(fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}",
                                  Quoted(entry.name.str()), DTypeName(entry.dtype), fmt::join(lengths, ","),
                                  entry.begin, entry.end));
  }
  return fmt::format("{{{}}}", fmt::join(members, ","));
}

std::string ObjectText(const std::map<std::string, std::string>& strings) {
  std::vector<std::string> members;
  members.reserve(strings.size());
  for (const auto& [key, value] : strings) members.push_back(fmt::format("{}:{}", Quoted(key), Quoted(value)));
  return fmt::format("{{{}}}", fmt::join(members, ","));
}

std::map<std::string, std::string> ParseChecksums(const std::string& text, const std::string& file) {
  RefuseZeros("checksums", text, file);
  const auto refuse = [&file](std::string_view reason) { Refuse("checksums", file, reason); };
  std::map<std::string, std::string> checksums;
  std::string key;
  size_t depth = 0;
  const auto event = [&](int, Json::parse_event_t kind, Json& value) {
    if (kind == Json::parse_event_t::object_start && depth++ > 0) refuse("got an object, expected a string");
    if (kind == Json::parse_event_t::array_start) refuse("got a list, expected a string");
    if (kind == Json::parse_event_t::key) key = value.get<std::string>();
    if (kind != Json::parse_event_t::value) return true;
    if (depth == 0 || !value.is_string()) {
      refuse(fmt::format("got {}, expected an object of strings", value.type_name()));
    }
    if (!checksums.emplace(key, value.get<std::string>()).second) {
      refuse(fmt::format("got '{}' twice", Escaped(key, kShownBytes)));
    }
    if (checksums.size() > SafetensorsLimits::kTensors) refuse("got too many");
    return false;  // taken: the parser need not keep it
  };
  try {
    [[maybe_unused]] const Json empty = Json::parse(text, event);
  } catch (const Json::exception&) {
    refuse("got no JSON");
  }
  return checksums;
}

}  // namespace weft
