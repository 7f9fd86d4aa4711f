// JSON by events: what a text consists of, and which texts are none.
#include "weft/graph/runtime/json_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "weft/graph/error.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

struct Reading {
  std::vector<std::string> events = {};
  std::string problem = {};
};

Reading Read(std::string_view text) {
  Reading reading;
  reading.problem =
      ReadJson(text, [&](JsonEvent event, std::string_view of) { reading.events.push_back(Shown(event, of)); });
  return reading;
}

TEST(Json, IsReadEventByEvent) {
  const Reading reading = Read("{\"a\\u0041\\n\": [1, -0, 1.50, 1e3, 18446744073709551616, true, null], \"b\": {}} ");
  EXPECT_EQ(reading.problem, "");
  EXPECT_THAT(reading.events,
              ElementsAre("an object", "\"aA\n\"", "a list", "1", "-0", "1.50", "1e3", "18446744073709551616", "true",
                          "null", "a list", "\"b\"", "an object", "an object", "an object"));
}

TEST(Json, RefusesWhatIsNone) {
  using namespace std::string_literals;
  for (const std::string& text : {""s,           "{"s,
                                  "{}{}"s,       "{}x"s,
                                  "[1,]"s,       "[01]"s,
                                  "[+1]"s,       "[.5]"s,
                                  "[1.]"s,       "[NaN]"s,
                                  "['a']"s,      "{1:2}"s,
                                  "[\"\x01\"]"s, "[\"\\ud800\"]"s,
                                  "[\"\xFF\"]"s, "[\"\xC0\xAF\"]"s,
                                  "[] // no"s,   "\xEF\xBB\xBF[]"s,
                                  "[]\0"s,       "\0"s,
                                  "[1\0]"s,      "[\"a\0\"]"s,
                                  "tru"s,        "[1e999]"s}) {
    EXPECT_THAT(Read(text).problem, StartsWith("got no JSON at byte ")) << testing::PrintToString(text);
  }
}

// Three million lists, one in the other: no stack, and a bit of memory for each.
TEST(Json, NestsWithoutEnd) {
  const size_t depth = 3'000'000;
  size_t events = 0;
  const std::string lists = std::string(depth, '[') + std::string(depth, ']');
  EXPECT_EQ(ReadJson(lists, [&](JsonEvent, std::string_view) { ++events; }), "");
  EXPECT_EQ(events, 2 * depth);
}

TEST(Json, StringsAreQuoted) {
  EXPECT_EQ(JsonString("a\"b\\c\n\x1f"), "\"a\\\"b\\\\c\\n\\u001f\"");
  EXPECT_THAT(Thrown([] { JsonString("\xFF"); }), HasSubstr("'\\xff': is not UTF-8"));
}

}  // namespace
}  // namespace weft
