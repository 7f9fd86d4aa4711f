// Who may include whom: every arrow that is not drawn here is a failure.
//
//                  graph          (standard library; fmt and Boost.Graph in its .cpp files)
//                ↗       ↖
//             ops         graph/compile ← graph/runtime
//           ↗     ↖              ↑
//    autodiff     models         |
//           ↖                    |
//        models/training ────────┘
//                 ↑  models/c_api, the same for C
//        examples · tests         autodiff/check is a target of its own
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace weft {
namespace {

namespace fs = std::filesystem;

const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"graph", {"graph"}},
    {"graph/views", {"graph", "graph/views"}},
    {"graph/compile", {"graph", "graph/compile"}},
    {"graph/runtime", {"graph", "graph/compile", "graph/runtime"}},
    {"ops", {"graph", "ops"}},
    {"autodiff", {"graph", "ops", "autodiff"}},
    {"autodiff/check", {"graph", "graph/compile", "graph/runtime", "ops", "autodiff", "autodiff/check"}},
    {"models", {"graph", "ops", "models"}},
    {"models/training", {"graph", "graph/compile", "graph/runtime", "ops", "autodiff", "models", "models/training"}},
    {"models/c_api", {"graph", "graph/views", "graph/runtime", "ops", "models", "models/training", "models/c_api"}},
};

// A library has one room, and none of them is seen in a public header.
struct Library {
  std::string pattern;
  std::regex allowed;  // of the including file
};
const std::vector<Library> kLibraries = {
    {"hwy/", std::regex("ops/.*")},
    {"(oneapi/)?tbb/", std::regex("graph/runtime/tbb_runner\\.cpp")},
    {"boost/", std::regex("graph/boost_graph\\.h|graph/.*\\.cpp")},
    {"nlohmann/", std::regex("graph/runtime/json_events\\.cpp")},
    {"fmt/", std::regex(".*\\.cpp")},
};

struct Include {
  std::string file, target;  // as from the root of the tree
};

std::vector<Include> AllIncludes() {
  std::vector<Include> includes;
  const std::regex line_form("\\s*#\\s*include\\s*[<\"]([^>\"]+)[>\"].*");
  for (const char* top : {"graph", "ops", "autodiff", "models"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(WEFT_SOURCE_DIR) / top)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path());
      std::smatch match;
      for (std::string line; std::getline(file, line);) {
        if (std::regex_match(line, match, line_form))
          includes.push_back({fs::relative(entry.path(), WEFT_SOURCE_DIR).string(), match[1]});
      }
    }
  }
  return includes;
}

// The longest room that holds the file: "models/training" before "models". A room may be a few files, as
// "models/c_api".
std::string RoomOf(const std::string& file) {
  std::string room;
  for (const auto& [name, targets] : kMayInclude) {
    if ((file.starts_with(name + "/") || file.starts_with(name + ".") || file.starts_with(name + "_")) &&
        name.size() > room.size())
      room = name;
  }
  return room;
}

TEST(Layering, EveryIncludeFollowsAnArrow) {
  const auto includes = AllIncludes();
  ASSERT_GT(includes.size(), 200u);
  for (const Include& include : includes) {
    if (!include.target.starts_with("weft/")) continue;
    const std::string from = RoomOf(include.file), to = RoomOf(include.target.substr(5));
    EXPECT_TRUE(kMayInclude.at(from).contains(to))
        << include.file << " includes " << include.target << ": no arrow from " << from << " to " << to;
  }
}

TEST(Layering, EveryLibraryStaysInItsRoom) {
  for (const Include& include : AllIncludes()) {
    for (const Library& library : kLibraries) {
      if (!std::regex_search(include.target, std::regex("^" + library.pattern))) continue;
      EXPECT_TRUE(std::regex_match(include.file, library.allowed)) << include.file << " includes " << include.target;
    }
  }
}

TEST(Layering, TheTopLevelHoldsNoOtherCode) {
  const std::set<std::string> code = {"graph",    "ops",   "autodiff", "models", "tests",
                                      "examples", "cmake", "docs",     "build",  "runs"};
  for (const auto& entry : fs::directory_iterator(WEFT_SOURCE_DIR)) {
    const std::string name = entry.path().filename().string();
    EXPECT_TRUE(!entry.is_directory() || name.starts_with(".") || code.contains(name)) << name;
  }
}

}  // namespace
}  // namespace weft
