// Pages of the tool: what is put into them stays where it is put. In a browser they are opened by tests/web.
#include "weft/examples/vae/page.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(Page, IsTheEmbeddedFileWhereItNamesNoOther) { EXPECT_TRUE(Page("look.css", {}).starts_with("/* What all")); }

TEST(Page, OfAnUnknownNameIsABug) {
  EXPECT_THROW(Page("nothing.html", {}), std::logic_error);
  EXPECT_FALSE(IsEmbedded("nothing.html"));
}

}  // namespace
}  // namespace weft
