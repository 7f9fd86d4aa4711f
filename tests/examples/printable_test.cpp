// Text from outside reaches a terminal only as text.
#include "weft/examples/vae/printable.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weft {
namespace {

TEST(Printable, KeepsTextAndEscapesTheRest) {
  EXPECT_EQ(Printable("plain Größe 数 😀"), "plain Größe 数 😀");
  EXPECT_EQ(Printable("a\tb\x7f\\"), "a\\x09b\\x7f\\x5c");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");  // the eight-bit form of ESC [
  EXPECT_EQ(Printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(Printable("\xe0\x80\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xc0\xaf"),
            "\\xe0\\x80\\x80 \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80 \\xc0\\xaf");
  EXPECT_EQ(Printable(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(Printable(std::string(200, 'x')), std::string(200, 'x'));
  EXPECT_EQ(Printable(std::string(201, '\x01')).size(), 803U);
}

}  // namespace
}  // namespace weft
