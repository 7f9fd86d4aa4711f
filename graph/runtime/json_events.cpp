// The only file of the library that includes a JSON parser; that one takes a zero byte for the end of the text, and
// passes over a byte order mark.
#include "weft/graph/runtime/json_events.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "weft/graph/error.h"

namespace weft {
namespace {

using Json = nlohmann::json;

// The members with lower-case names are called by the parser.
class Events {
 public:
  explicit Events(const JsonTaker& take) : take_(take) {}

  const std::string& problem() const { return problem_; }

  bool null() { return Take(JsonEvent::kLiteral, "null"); }
  bool boolean(bool value) { return Take(JsonEvent::kLiteral, value ? "true" : "false"); }
  // Only negative integers, so 0 is −0.
  bool number_integer(int64_t value) { return Take(JsonEvent::kNumber, value == 0 ? "-0" : fmt::format("{}", value)); }
  bool number_unsigned(uint64_t value) { return Take(JsonEvent::kNumber, fmt::format("{}", value)); }
  bool number_float(double, const std::string& literal) { return Take(JsonEvent::kNumber, literal); }
  bool string(const std::string& value) { return Take(JsonEvent::kString, value); }
  bool key(const std::string& value) { return Take(JsonEvent::kKey, value); }
  bool start_object(size_t) { return Take(JsonEvent::kObject, ""); }
  bool end_object() { return Take(JsonEvent::kEndObject, ""); }
  bool start_array(size_t) { return Take(JsonEvent::kList, ""); }
  bool end_array() { return Take(JsonEvent::kEndList, ""); }
  bool binary(Json::binary_t&) { return false; }  // not in a text

  bool parse_error(size_t position, const std::string&, const Json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 9: REASON"
    const std::string_view text = error.what();
    const size_t reason = text.find(": ");
    Fail(position, text.substr(reason == std::string_view::npos ? 0 : reason + 2));
    return false;
  }

  void Fail(size_t position, std::string_view reason) {
    problem_ = fmt::format("got no JSON at byte {} of it: {}", position, Escaped(reason));
  }

 private:
  bool Take(JsonEvent event, std::string_view text) {
    take_(event, text);
    return true;
  }

  const JsonTaker& take_;
  std::string problem_;
};

}  // namespace

std::string ReadJson(std::string_view text, const JsonTaker& take) {
  Events events(take);
  if (const size_t zero = text.find('\0'); zero != std::string_view::npos) events.Fail(zero + 1, "a zero byte");
  else if (text.starts_with('\xEF')) events.Fail(1, "a byte order mark");
  else Json::sax_parse(text.begin(), text.end(), &events);
  return events.problem();
}

std::string Shown(JsonEvent event, std::string_view text) {
  switch (event) {
    case JsonEvent::kObject:
    case JsonEvent::kEndObject: return "an object";
    case JsonEvent::kList:
    case JsonEvent::kEndList: return "a list";
    case JsonEvent::kKey:
    case JsonEvent::kString: return fmt::format("\"{}\"", text);
    case JsonEvent::kNumber:
    case JsonEvent::kLiteral: return std::string(text);
  }
  return "";
}

std::string JsonString(std::string_view text) {
  try {
    return Json(text).dump();
  } catch (const Json::exception&) {
    throw GraphError(fmt::format("text '{}': is not UTF-8", Escaped(text, 80)));
  }
}

}  // namespace weft
