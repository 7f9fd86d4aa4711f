// What may have been meant by a path that is not there.
#include "weft/examples/vae/existing.h"

#include <gtest/gtest.h>

#include <system_error>

#include "weft/tests/support/temporary_directory.h"

namespace weft {
namespace {

TEST(PathHint, NamesTheNearestPathThatIsThere) {
  const TemporaryDirectory directory;
  std::filesystem::create_directories(directory / "runs/first");
  std::filesystem::create_directories(directory / "runs/second");
  WriteFile(directory / "runs/first/model-430.safetensors", "");
  std::filesystem::create_symlink("nowhere", directory / "link");
  struct Case {
    std::string path, meant;
  };
  for (const Case& each : std::vector<Case>{{"rusn/first", "runs/first"},
                                            {"runs/frist", "runs/first"},
                                            {"rnus/secnd/", "runs/second/"},
                                            {"runs/first/model-403.safetensors", "runs/first/model-430.safetensors"},
                                            {"rusn/fist/model-430.safetensor", "runs/first/model-430.safetensors"},
                                            {"rusn/something", "runs"},
                                            {"else/first", ""},
                                            {"runs/first", ""},
                                            {"link", ""}}) {
    const std::string meant = each.meant.empty() ? "" : " (did you mean '" + (directory / each.meant).string() + "'?)";
    EXPECT_EQ(PathHint(directory / each.path), meant) << each.path;
  }
  EXPECT_EQ(PathHint(""), "");
}

TEST(RequireExists, IsAnErrorOfReading) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "runs");
  EXPECT_NO_THROW(RequireExists(directory / "runs"));
  try {
    RequireExists(directory / "rusn");
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(std::string(error.what()), "read: " + (directory / "rusn").string() + ": cannot open it (did you mean '" +
                                             (directory / "runs").string() + "'?): No such file or directory");
  }
}

}  // namespace
}  // namespace weft
