// Attributes: identity by bits, and text that parses back to the same bits.
#include "weft/graph/attributes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

using testing::HasSubstr;

AttributeValue Shared(Tensor tensor) { return std::make_shared<const Tensor>(std::move(tensor)); }

AttributeValue Parsed(std::string_view text) {
  AttributeValue value = ParseAttributeValue(text);
  EXPECT_EQ(text, "") << "left over";
  return value;
}

bool Same(const AttributeValue& a, const AttributeValue& b) { return Attributes{{"k", a}} == Attributes{{"k", b}}; }

TEST(Attributes, AreSortedByKey) {
  const Attributes attributes = {{"slope", 0.5}, {"axis", int64_t{1}}, {"name", std::string("x")}};
  EXPECT_EQ(ToString(attributes), "axis=1 name=\"x\" slope=0.5");
  Attributes set;
  set.Set("slope", 0.25);
  set.Set("name", std::string("x"));
  set.Set("axis", int64_t{1});
  set.Set("slope", 0.5);
  EXPECT_EQ(set, attributes);
  EXPECT_EQ(set.Hash(), attributes.Hash());
  EXPECT_TRUE(Attributes().empty());
  EXPECT_EQ(ToString(Attributes()), "");
}

TEST(Attributes, RefuseAKeyTwice) {
  EXPECT_THAT(Thrown([] {
                Attributes{{"axis", int64_t{1}}, {"axis", int64_t{2}}};
              }),
              HasSubstr("attribute 'axis': given twice"));
}

TEST(Attributes, GiveValuesOfTheirTypeOnly) {
  const Attributes attributes = {{"axis", int64_t{1}}};
  EXPECT_EQ(attributes.Get<int64_t>("axis"), 1);
  EXPECT_EQ(attributes.Find("axes"), nullptr);
  EXPECT_THAT(Thrown([&] { attributes.Get<int64_t>("axes"); }), HasSubstr("'axes': missing"));
  EXPECT_THAT(Thrown([&] { attributes.Get<double>("axis"); }), HasSubstr("'axis': has another type"));
}

TEST(Attributes, DifferInOneFieldOnly) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const AttributeValue values[] = {true,
                                   false,
                                   int64_t{0},
                                   int64_t{1},
                                   0.0,
                                   -0.0,
                                   1.0,
                                   nan,
                                   -nan,
                                   std::string(),
                                   std::string("0"),
                                   DType::kFloat32,
                                   DType::kFloat64,
                                   Shape(),
                                   Shape{0},
                                   Shape{kBatch},
                                   std::vector<int64_t>(),
                                   std::vector<int64_t>{0},
                                   Shared(Tensor::Scalar(0.0f)),
                                   Shared(Tensor::Scalar(-0.0f)),
                                   Shared(Tensor::Scalar(0.0)),
                                   Shared(Tensor(DType::kFloat32, {1}))};
  for (const AttributeValue& a : values) {
    for (const AttributeValue& b : values) EXPECT_EQ(Same(a, b), &a == &b) << ToString(a) << " and " << ToString(b);
  }
  EXPECT_FALSE((Attributes{{"a", true}} == Attributes{{"b", true}}));
  EXPECT_FALSE((Attributes{{"a", true}} == Attributes{{"a", true}, {"b", true}}));
}

TEST(Attributes, EqualTensorsAreEqualWhereverTheyLie) {
  const AttributeValue a = Shared(Tensor::Of<float>({2}, {1, NAN})), b = Shared(Tensor::Of<float>({2}, {1, NAN}));
  EXPECT_TRUE(Same(a, b));
  EXPECT_EQ((Attributes{{"value", a}}).Hash(), (Attributes{{"value", b}}).Hash());
}

TEST(AttributeText, RoundTripsEveryType) {
  const AttributeValue values[] = {
      true,
      false,
      int64_t{0},
      INT64_MAX,
      INT64_MIN,
      0.1,
      -0.0,
      100.0,
      1e300,
      5e-324,
      std::numeric_limits<double>::infinity(),
      -std::numeric_limits<double>::infinity(),
      std::numeric_limits<double>::quiet_NaN(),
      -std::numeric_limits<double>::quiet_NaN(),
      std::string(),
      std::string("Encoder/Epsilon"),
      std::string("say \"no\", \\x41 \\ and \n\t, end\\"),
      std::string("\xff\xc3(\x7f μ \x1b[31m \xc2\x85"),
      std::string("\0nul", 4),
      DType::kFloat32,
      DType::kBool,
      Shape(),
      Shape{kBatch, 784},
      Shape{0, 1, 2, 3, 4, 5},
      std::vector<int64_t>{},
      std::vector<int64_t>{-1, 0, INT64_MAX},
      Shared(Tensor()),
      Shared(Tensor::Scalar(0.1f)),
      Shared(Tensor::Of<float>({2, 2}, {1, -0.0f, NAN, std::numeric_limits<float>::infinity()})),
      Shared(Tensor::Of<double>({3}, {0.1, 1e-310, 1.0 / 3})),
      Shared(Tensor::Of<int64_t>({2}, {INT64_MIN, INT64_MAX})),
      Shared(Tensor::Of<bool>({2, 1}, {true, false})),
      Shared(Tensor(DType::kBool, {3, 0})),
  };
  for (const AttributeValue& value : values) {
    EXPECT_TRUE(Same(Parsed(ToString(value)), value)) << ToString(value);
    EXPECT_EQ(ToString(Parsed(ToString(value))), ToString(value));
  }
}

TEST(AttributeText, RoundTripsRandomBits) {
  std::mt19937_64 bits(1);
  for (int i = 0; i < 20000; ++i) {
    const auto number = std::bit_cast<double>(bits());
    if (std::isnan(number)) continue;  // the payload of a NaN is not written
    EXPECT_TRUE(Same(Parsed(ToString(AttributeValue(number))), number));
    const auto single = std::bit_cast<float>(static_cast<uint32_t>(bits()));
    if (std::isnan(single)) continue;
    EXPECT_TRUE(Same(Parsed(ToString(Shared(Tensor::Scalar(single)))), Shared(Tensor::Scalar(single))));
  }
}

TEST(AttributeText, IsOneLineOfValidText) {
  EXPECT_EQ(ToString(AttributeValue(std::string("a\nb\"\\"))), R"("a\x0ab\"\\")");
  EXPECT_EQ(ToString(AttributeValue(std::string("\xff\x7f μ"))), R"("\xff\x7f μ")");
  EXPECT_EQ(ToString(Shared(Tensor::Of<float>({2}, {1, 2.5}))), "f32[2]{1, 2.5}");
  EXPECT_EQ(ToString(AttributeValue(std::vector<int64_t>{0, -1})), "(0, -1)");
  EXPECT_EQ(ToString(AttributeValue(3.0)), "3.0");
}

TEST(AttributeText, StopsBehindTheValue) {
  const std::pair<std::string_view, std::string_view> cases[] = {{"1 next=2", " next=2"},
                                                                 {"1.5} : f32[]", "} : f32[]"},
                                                                 {"1} : f32[] n.e", "} : f32[] n.e"},
                                                                 {"true,", ","},
                                                                 {"f32} x", "} x"},
                                                                 {"[N, 2] [3]", " [3]"},
                                                                 {"(1, 2)n", "n"},
                                                                 {"f32[1]{2}{", "{"},
                                                                 {"\"a\"\"b\"", "\"b\""}};
  for (const auto& [text, rest] : cases) {
    std::string_view left = text;
    ParseAttributeValue(left);
    EXPECT_EQ(left, rest) << text;
  }
  std::string_view number = "1} : f32[] n.e";
  EXPECT_TRUE(std::holds_alternative<int64_t>(ParseAttributeValue(number)));
}

TEST(AttributeText, RefusesWhatIsNoValue) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "a number"},
      {"x", "a number"},
      {"+1", "a number"},
      {"1e999", "a number"},
      {"9223372036854775808", "a number"},
      {"\"open", "'\"'"},
      {"\"open\\", "'\"'"},
      {"\"\\xg0\"", "two hexadecimal digits"},
      {"\"\\x4", "two hexadecimal digits"},
      {"[1, ", "a number"},
      {"[1,2]", "']'"},
      {"[-1]", "expected 0 or more"},
      {"[-9223372036854775808]", "expected 0 or more"},
      {"[1, 1, 1, 1, 1, 1, 1]", "got rank 7"},
      {"[M]", "a number"},
      {"(1 2)", "')'"},
      {"f32[2]{1}", "got 1 values, expected 2"},
      {"f32[1]{1, 2}", "got 2 values, expected 1"},
      {"f32[2]", "'{'"},
      {"f32[N]{1}", "N is not bound"},
      {"bool[2]{true}", "got 1 values, expected 2"},
      {"bool[1]{true, false}", "got 2 values, expected 1"},
      {"bool[1]{1}", "'false'"},
      {"i64[1]{1.5}", "'}'"},
  };
  for (const auto& [text, expected] : cases) {
    std::string_view rest = text;
    EXPECT_THAT(Thrown([&] { ParseAttributeValue(rest); }), HasSubstr(expected)) << text;
  }
}

TEST(AttributeText, AllocatesNoMoreThanItReads) {
  // A terabyte on paper: refused by counting, before memory is asked for.
  for (std::string_view text : {"f32[1099511627776]{}", "bool[1099511627776]{true}", "f64[1048576, 1048576]{1, 2}"}) {
    EXPECT_THAT(Thrown([text] {
                  std::string_view rest = text;
                  ParseAttributeValue(rest);
                }),
                HasSubstr("expected 1099511627776"));
  }
  std::string_view beyond = "f32[1099511627776, 2]{}";
  EXPECT_THROW(ParseAttributeValue(beyond), ResourceError);
}

}  // namespace
}  // namespace weft
