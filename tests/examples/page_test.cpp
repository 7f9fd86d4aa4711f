// Pages of the tool: what is put into them stays where it is put. In a browser they are opened by tests/web.
#include "weft/examples/vae/page.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(Page, IsTheEmbeddedFileWhereItNamesNoOther) { EXPECT_TRUE(Page("look.css", {}).starts_with("/* What all")); }

TEST(Page, KeepsWhatIsPutInWithinItsElement) {
  const std::string page =
      Page("graph.html", {{"data.json", R"(["</script>"])"}, {"graphviz.js", R"(["</SCRIPT><!--", 1 < 2])"}});
  EXPECT_NE(page.find(R"(["\u003c/script>"])"), std::string::npos);
  EXPECT_NE(page.find(R"(["<\/SCRIPT>\x3c!--", 1 < 2])"), std::string::npos);
  EXPECT_EQ(page.find("{{"), std::string::npos);
}

TEST(Page, OfAnUnknownNameIsABug) {
  EXPECT_THROW(Page("nothing.html", {}), std::logic_error);
  EXPECT_FALSE(IsEmbedded("nothing.html"));
}

}  // namespace
}  // namespace weft
