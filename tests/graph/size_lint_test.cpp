// Every size goes through ElementCount, ByteSize and PaddedByteSize: a product of lengths anywhere else may wrap. This
// reads the sources for such products.
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

// A line without what stands in quotes and comments, and without factors that are written out: no size is near 2⁶³.
std::string Code(const std::string& line) {
  static const std::regex quoted(R"("(\\.|[^"\\])*")"), factor(R"(\b\d+\s\*\s|\s\*\s\d+\b)");
  const std::string code = std::regex_replace(line, quoted, "\"\"");
  return std::regex_replace(code.substr(0, code.find("//")), factor, "");
}

// A length, a count or the size of an element as a factor; or a product as an amount of memory. In double nothing
// wraps.
bool MultipliesSizes(const std::string& line) {
  static const std::string size =
      R"((\.length\(\)|(SizeOf|ElementCount)\([^()]*(\([^()]*\))?[^()]*\)|\.count\(\)|\.width\(\)|\.size\(\)))";
  static const std::regex product(size + R"(\)?\s*\*[^*=/])" + "|" +
                                  R"([\w)\]]\s\*\s(static_cast<\w+>\()?[\w.()\[\]]*)" + size);
  static const std::regex memory(
      R"((resize|reserve|Scratch|Pages|AllocateAligned<[^>]*>|make_unique\w*<[^>]*>|malloc|calloc)\([^;]*\w\)?\s\*\s[^;]*\))");
  const std::string code = Code(line);
  if (code.find("double>(") != std::string::npos) return false;
  return std::regex_search(code, product) ||
         (std::regex_search(code, memory) && code.find("ByteSize(") == std::string::npos);
}

// Products of what has been checked, by file: how many lines, and why they cannot wrap.
struct Allowed {
  size_t lines;
  std::string reason;
};
const std::map<std::string, Allowed> kAllowed = {
    {"graph/tensor_type.cpp", {1, "ByteSize itself: at most 2⁴⁰ · 8"}},
    {"graph/tensor.h", {1, "the size of a tensor that exists"}},
    {"graph/compile/fold.cpp", {1, "a place within a tensor that exists"}},
    {"ops/layout/concatenate.cpp", {2, "a row of a tensor that was checked; the size of a block, a constant"}},
    {"examples/exporters/npy.cpp", {2, "a place within bytes that exist; at most 2⁴⁰ elements of 8 bytes"}},
    {"examples/vae/bench.cpp", {1, "a place within images that exist"}},
};

std::map<std::string, std::vector<std::string>> Products() {
  std::map<std::string, std::vector<std::string>> products;
  for (const char* top : {"graph", "ops", "autodiff", "models", "examples"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(WEFT_SOURCE_DIR) / top)) {
      const std::string extension = entry.path().extension().string();
      if (!entry.is_regular_file() || (extension != ".cpp" && extension != ".h")) continue;
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) {
        if (MultipliesSizes(line)) products[fs::relative(entry.path(), WEFT_SOURCE_DIR).string()].push_back(line);
      }
    }
  }
  return products;
}

TEST(SizeLint, KnowsAProductOfSizesWhenItSeesOne) {
  for (const char* line :
       {"return shape[0].length() * shape[1].length();", "auto bytes = count * SizeOf(dtype);",
        "auto bytes = SizeOf(type.dtype) * n;", "int64_t n = ElementCount(shape) * channels;",
        "size = rows * static_cast<int64_t>(SizeOf(t));", "x = images.count() * images.width();",
        "n = values.size() * sizeof(float);", "n = rows * x.shape()[1].length();", "pixels.resize(rows * columns);",
        "Pages memory = Pages(static_cast<size_t>(rows) * width);"}) {
    EXPECT_TRUE(MultipliesSizes(line)) << line;
  }
  for (const char* line : {"// rows.length() * columns.length()", "text += \"SizeOf(x) * 3\";",
                           "const Shape* shape = a.size() > 1 ? b : c;", "ElementCount(shape) + 1",
                           "table.reserve(2 * mean.size());", "double bytes = 3 * static_cast<double>(SizeOf(dtype));",
                           "panels = Pages(PaddedByteSize(dtype, {panels * width, rows}));"}) {
    EXPECT_FALSE(MultipliesSizes(line)) << line;
  }
}

TEST(SizeLint, NoSizesAreMultipliedElsewhere) {
  const auto products = Products();
  for (const auto& [file, lines] : products) {
    const auto allowed = kAllowed.find(file);
    const size_t count = allowed == kAllowed.end() ? 0 : allowed->second.lines;
    std::string text;
    for (const std::string& line : lines) text += "\n" + line;
    EXPECT_EQ(lines.size(), count)
        << file << ": use ElementCount, ByteSize or PaddedByteSize, or say here why this cannot wrap:" << text;
  }
  for (const auto& [file, allowed] : kAllowed)
    EXPECT_TRUE(products.contains(file)) << file << " needs no exception any more";
}

}  // namespace
}  // namespace weft
