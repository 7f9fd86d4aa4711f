// Names of other programs, as a table of patterns.
#include "weft/examples/vae/name_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weft/examples/vae/failure.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

TEST(NameMap, FillsPatterns) {
  const NameMap map = NameMap::Parse(
      "# the first that fits holds\n"
      "layers.{n}.weight = Dense{_n}/W transposed   # [out, in]\n"
      "\n"
      "layers.{n}.* = Dense{_n}/*\n"
      "*.steps = -\n"
      "Old{_n}/b = new.{n}.bias\n",
      "a table");
  struct Case {
    std::string from, to;
    bool is_transposed = false, is_passed_over = false;
  };
  for (const Case& each : std::vector<Case>{{"layers.0.weight", "Dense/W", true},
                                            {"layers.12.weight", "Dense_12/W", true},
                                            {"layers.3.bias", "Dense_3/bias"},
                                            {"layers.3.a.b", "Dense_3/a.b"},
                                            {"layers.x.bias", "layers.x.bias"},
                                            {"layers..bias", "layers..bias"},
                                            {"norm.steps", "-", false, true},
                                            {"steps", "steps"},
                                            {"Old/b", "new.0.bias"},
                                            {"Old_7/b", "new.7.bias"},
                                            {"Old_/b", "Old_/b"},
                                            {"", ""}}) {
    const NameMap::Target target = map.Of(each.from);
    EXPECT_EQ(target.name, each.to) << each.from;
    EXPECT_EQ(target.is_transposed, each.is_transposed) << each.from;
    EXPECT_EQ(target.is_passed_over, each.is_passed_over) << each.from;
    if (!each.is_passed_over && each.to != each.from) {
      EXPECT_EQ(map.SourceOf(each.to).name, each.from) << "and back";
    }
  }
}

TEST(NameMap, RenamesWholeComponentsBeforeAnyRule) {
  NameMap map = NameMap::Parse("encoder.{n}.weight = Encoder{_n}/W transposed", "a table");
  map.Rename("enc", "encoder");
  map.Rename("Decoder/Mean", "Decoder/Logits");
  EXPECT_EQ(map.Of("enc.1.weight").name, "Encoder_1/W");
  EXPECT_EQ(map.Of("encode.1.weight").name, "encode.1.weight");
  EXPECT_EQ(map.Of("Decoder/Mean/W").name, "Decoder/Logits/W");
  EXPECT_EQ(map.Of("Decoder/Mean").name, "Decoder/Logits");
  EXPECT_EQ(map.Of("Decoder/Mean2/W").name, "Decoder/Mean2/W");
}

TEST(NameMap, SaysWhichLineIsNoRule) {
  for (const auto& [line, expected] : std::vector<std::pair<std::string, std::string>>{
           {"a b", "map: a table line 2: got 'a b', expected NAME = NAME, and perhaps 'transposed' behind them"},
           {"a =", "line 2: got 'a =', expected NAME = NAME"},
           {"a = b turned", "line 2: got 'a = b turned', expected NAME = NAME"},
           {"a = b transposed twice", "expected NAME = NAME"},
           {"a = b{n}", "expected at most one number and one * on the left, and on the right no others"},
           {"a.{n} = b.*", "on the right no others"},
           {"a.*.* = b", "at most one number and one *"},
           {"a.{n}.{_n} = b", "at most one number"}}) {
    EXPECT_THAT(Thrown<UsageError>([&] { NameMap::Parse("# first\n" + line, "a table"); }),
                testing::HasSubstr(expected))
        << line;
  }
}

}  // namespace
}  // namespace weft
