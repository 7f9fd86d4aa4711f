// JSON as the events that its text consists of: no tree, so memory for no more than what the caller keeps, nothing to
// be destroyed, and no recursion however deep it nests.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace weft {

enum class JsonEvent { kObject, kEndObject, kList, kEndList, kKey, kString, kNumber, kLiteral };

// A key and a string without their escapes, a number as it is written, a literal as "true", "false" or "null".
using JsonTaker = std::function<void(JsonEvent event, std::string_view text)>;

// Calls `take` for every event of one JSON value and nothing behind it but spaces. Returns why the text is none, "got
// no JSON at byte 3 of it: …", or "" if it is; what `take` throws passes. Strict by RFC 8259, in UTF-8 and without a
// byte order mark; duplicate keys are the caller's to refuse.
[[nodiscard]] std::string ReadJson(std::string_view text, const JsonTaker& take);

// How a message shows an event: "an object", "a list", "\"text\"", "1.5".
std::string Shown(JsonEvent event, std::string_view text);

// The text as a JSON string with its quotes. Throws GraphError if it is not UTF-8.
std::string JsonString(std::string_view text);

}  // namespace weft
