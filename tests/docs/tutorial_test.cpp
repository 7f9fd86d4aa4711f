// The table of docs/tutorial.md: its nodes are in the graph, its code is in the source.
#include <regex>

#include <gtest/gtest.h>

#include "weft/models/variational_autoencoder.h"
#include "weft/tests/examples/tool_test.h"

namespace weft {
namespace {

// What stands in `backticks`.
std::vector<std::string> Code(const std::string& cell) {
  const std::regex code("`([^`]+)`");
  std::vector<std::string> pieces;
  for (std::sregex_iterator at(cell.begin(), cell.end(), code), end; at != end; ++at) pieces.push_back((*at)[1]);
  return pieces;
}

// The cells of "| A | B \| C |": A, and B | C.
std::vector<std::string> Cells(const std::string& row) {
  std::vector<std::string> cells = {""};
  for (size_t i = 1; i < row.size(); ++i) {
    if (row[i] == '|' && row[i - 1] != '\\') cells.emplace_back();
    else cells.back() += row[i];
  }
  return cells;
}

TEST(Docs, TheTutorialNamesNodesAndCodeThatAreThere) {
  const std::filesystem::path tree = WEFT_SOURCE_DIR;
  const std::string source = ReadFile(tree / "models/variational_autoencoder.cpp");
  Graph graph;
  BuildVariationalAutoencoder(graph);
  int rows = 0;
  for (const std::string& line : Lines(ReadFile(tree / "docs/tutorial.md"))) {
    const std::vector<std::string> cells = line.starts_with('|') ? Cells(line) : std::vector<std::string>();
    if (cells.size() != 4 || Code(cells[1]).empty()) continue;
    ++rows;
    for (const std::string& node : Code(cells[1])) EXPECT_TRUE(graph.FindId(node) != kNoNode) << line;
    for (const std::string& code : Code(cells[2])) EXPECT_NE(source.find(code), std::string::npos) << code;
  }
  EXPECT_EQ(rows, 12);
}

}  // namespace
}  // namespace weft
