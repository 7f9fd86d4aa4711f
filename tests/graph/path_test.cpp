// Paths: the rule of names, scopes at '/' boundaries, globs, nearest spellings.
#include "weft/graph/path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "weft/graph/error.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Path, RefusesWhatIsNoName) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "is empty"},
      {"/A", "empty component"},
      {"A/", "empty component"},
      {"/", "empty component"},
      {"A//B", "empty component"},
      {"A\nB", "control character"},
      {std::string("A\0B", 3), "control character"},
      {"A\x1b[31m", "control character"},
      {"A\x7f", "control character"},
      {std::string(513, 'x'), "got 513 bytes, expected at most 512"},
  };
  for (const auto& refused : cases)
    EXPECT_THAT(Thrown([&] { Path path(refused.first); }), HasSubstr(refused.second)) << refused.first;
}

TEST(Path, NeverEchoesControlCharacters) {
  EXPECT_THAT(Thrown([] { Path("A\x1b[31m\n"); }), AllOf(HasSubstr("A\\x1b[31m\\x0a"), Not(HasSubstr("\x1b"))));
}

TEST(Path, AcceptsEverythingElse) {
  for (const char* text : {"A", "A/B/C", " ", "a b", ".", "..", "\"];evil[", "Größe/μ", "</script>", "\\"})
    EXPECT_EQ(Path(text).str(), text);
  EXPECT_EQ(Path(std::string(512, 'x')).str().size(), Path::kMaxBytes);
}

TEST(Path, KnowsParentAndLeaf) {
  const Path path = "Encoder/Mean/W";
  EXPECT_EQ(path.parent(), Path("Encoder/Mean"));
  EXPECT_EQ(path.leaf(), "W");
  EXPECT_EQ(Path("W").leaf(), "W");
  EXPECT_TRUE(Path("W").parent().is_root());
  EXPECT_TRUE(Path().parent().is_root());
  EXPECT_EQ(Path().leaf(), "");
}

TEST(Path, JoinsBelowAScope) {
  EXPECT_EQ(Path("Encoder") / Path("Mean/W"), Path("Encoder/Mean/W"));
  EXPECT_EQ(Path() / Path("W"), Path("W"));
  EXPECT_EQ(Path("W") / Path(), Path("W"));
  EXPECT_THAT(Thrown([] { Path(std::string(300, 'x')) / Path(std::string(300, 'y')); }), HasSubstr("601 bytes"));
}

TEST(Path, IsWithinScopesAtSlashesOnly) {
  EXPECT_TRUE(Path("Encoder").IsWithin("Encoder"));
  EXPECT_TRUE(Path("Encoder/H").IsWithin("Encoder"));
  EXPECT_TRUE(Path("Encoder/H").IsWithin(Path()));
  EXPECT_TRUE(Path().IsWithin(Path()));
  EXPECT_FALSE(Path("Encoder2/H").IsWithin("Encoder"));
  EXPECT_FALSE(Path("Encoder").IsWithin("Encoder/H"));
  EXPECT_FALSE(Path("MyEncoder/H").IsWithin("Encoder"));
  EXPECT_FALSE(Path("encoder/H").IsWithin("Encoder"));
  EXPECT_FALSE(Path().IsWithin("Encoder"));
}

TEST(MatchesGlob, KnowsOneAndTwoStars) {
  struct Case {
    const char* pattern;
    const char* path;
    bool matches;
  };
  const Case cases[] = {
      {"Decoder/**", "Decoder/Mean/W", true},
      {"Decoder/**", "Decoder/H", true},
      {"Decoder/**", "Decoder2/H", false},
      {"Decoder/**", "Decoder", false},
      {"Decoder/*", "Decoder/H", true},
      {"Decoder/*", "Decoder/Mean/W", false},
      {"*/Mean", "Encoder/Mean", true},
      {"*/Mean", "A/B/Mean", false},
      {"**/Mean", "A/B/Mean", true},
      {"**", "A/B", true},
      {"**", "", true},
      {"*", "A", true},
      {"*", "A/B", false},
      {"*", "", true},
      {"", "", true},
      {"", "A", false},
      {"W", "W", true},
      {"W", "WW", false},
      {"*W*", "aWbWc", true},
      {"A*/B", "Axy/B", true},
      {"A*/B", "A/B", true},
      {"A*B", "A/B", false},
      {"A**B", "A/x/B", true},
      {"***", "A/B", true},
      {"[ab]?.", "[ab]?.", true},
      {"[ab]", "a", false},
  };
  for (const Case& c : cases) EXPECT_EQ(MatchesGlob(c.pattern, c.path), c.matches) << c.pattern << " on " << c.path;
}

TEST(MatchesGlob, StaysQuadraticOnManyStars) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  EXPECT_FALSE(MatchesGlob(pattern + "b", std::string(512, 'a')));
}

TEST(NearestSpelling, FindsFewestEdits) {
  const std::vector<std::string_view> known = {"Encoder/Mean", "Encoder/LogVariance", "Decoder/Mean", "W"};
  struct Case {
    const char* name;
    const char* nearest;
  };
  const Case cases[] = {{"Encoder/Logvariance", "Encoder/LogVariance"},
                        {"Encoder/Maen", "Encoder/Mean"},
                        {"Encodr/Mean", "Encoder/Mean"},
                        {"encoder/mean", "Encoder/Mean"},
                        {"Encoder/Mean", "Encoder/Mean"},
                        {"V", "W"},
                        {"Loss/Total", ""},
                        {"", "W"}};
  for (const Case& c : cases) EXPECT_EQ(NearestSpelling(c.name, known), c.nearest) << c.name;
  EXPECT_EQ(NearestSpelling("A", {}), "");
}

TEST(NearestSpelling, CountsASwapAsOneEdit) {
  const std::vector<std::string_view> known = {"abcX", "acbd"};
  EXPECT_EQ(NearestSpelling("abcd", known), "abcX") << "the first of equals";
  const std::vector<std::string_view> swapped = {"aXXd", "acbd"};
  EXPECT_EQ(NearestSpelling("abcd", swapped), "acbd");
}

TEST(DidYouMean, EndsASentence) {
  const std::vector<std::string_view> known = {"Encoder"};
  EXPECT_EQ(DidYouMean("Encodr", known), ". Did you mean 'Encoder'?");
  EXPECT_EQ(DidYouMean("Loss", known), "");
}

TEST(Escaped, MakesOneHarmlessLine) {
  const std::pair<std::string, std::string> cases[] = {
      {"plain", "plain"},         {"μ ↦ σ", "μ ↦ σ"},
      {"a\tb\n", "a\\x09b\\x0a"}, {"\x1b[0m", "\\x1b[0m"},
      {"\x7f", "\\x7f"},          {"\xff", "\\xff"},
      {"\xc3", "\\xc3"},          {"\xc3\x28", "\\xc3("},
      {"\xc2\x85", "\\xc2\\x85"}, {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
      {"\xe2\x82", "\\xe2\\x82"},
  };
  for (const auto& [text, escaped] : cases) EXPECT_EQ(Escaped(text), escaped);
  EXPECT_EQ(Escaped("abcdef", 3), "abc…");
  EXPECT_EQ(Escaped("abc", 3), "abc");
}

}  // namespace
}  // namespace weft
