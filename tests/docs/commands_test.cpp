// The commands of the documentation: every block of a page, in its order, and the example of every help text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <regex>

#include "weft/tests/docs/markdown.h"
#include "weft/tests/docs/scratch_tree.h"
#include "weft/tests/examples/help_texts.h"

namespace weft {
namespace {

const std::vector<NotRun> kNotRun = {
    {"./run setup", "installs packages of the system", "run"},
    {"./run build", "this build", "run"},
    {"./run test", "these tests", "run"},
    {"./run bench", "minutes, on a machine that does nothing else", "tests/benchmarks/bench.py"},
    {"./run fuzz", "minutes, and needs clang", "tests/fuzz/fuzz.py"},
    {"./run mutants", "builds the tree again and again", "tests/mutants/run_mutants.py"},
    {"cmake", "builds the tree again; tests/install builds other projects with it", "CMakePresets.json"},
    {"ctest", "these tests", "CMakePresets.json"},
    {"tests/release/checks.sh", "hours", "tests/release/checks.sh"},
    {"tensorboard", "no package of Debian; tests/interchange reads its files by TensorBoard's own description of them",
     ""},
    {"build/draw", "the tests Install.Draw.… build it and look at what it draws", ""},
};

// Output that a page shows and no small model gives.
struct NotCompared {
  std::string page;
  int block;  // which one of the page, from 0
  std::string reason;
};
const std::vector<NotCompared> kNotCompared = {
    {"examples/embed/README.md", 2, "a picture of a model of two epochs; the test Install.… looks at such a picture"},
};

std::string SourceFile(const std::string& name) { return ReadFile(std::filesystem::path(WEFT_SOURCE_DIR) / name); }

// "--only" of "./run bench --only model"; "--preset asan" counts as a word, as does any other.
void ExpectKnownCommand(const std::string& line) {
  for (const NotRun& each : kNotRun) {
    if (line != each.command && !line.starts_with(each.command + " ")) continue;
    const std::regex option("--[a-z][a-z-]*");
    std::cout << "not run: " << line << " (" << each.reason << ")\n";
    if (each.options_in.empty()) return;
    const std::string known = SourceFile(each.options_in) + SourceFile("run");
    for (std::sregex_iterator at(line.begin(), line.end(), option), end; at != end; ++at) {
      const bool is_of_cmake = each.command == "cmake" || each.command == "ctest";
      EXPECT_TRUE(is_of_cmake || known.find(at->str().substr(2)) != std::string::npos)
          << line << ": " << at->str() << " is not in " << each.options_in;
    }
    const std::regex preset("--preset ([a-z0-9-]+)");
    if (std::smatch match; std::regex_search(line, match, preset)) {
      EXPECT_THAT(known, testing::HasSubstr("\"name\": \"" + match[1].str() + "\"")) << line;
    }
    return;
  }
  ADD_FAILURE() << "'" << line << "' is neither run nor listed";
}

// A line of a page as a pattern: a number stands for any number, "…" for anything.
std::regex Pattern(const std::string& line) {
  const std::string special = std::regex_replace(line, std::regex(R"([.^$|()\[\]{}*+?\\])"), R"(\$&)");
  const std::string numbers = std::regex_replace(special, std::regex(R"([0-9]+((\\\.|,)[0-9]+)*)"), "[0-9.,e+-]+");
  return std::regex(std::regex_replace(numbers, std::regex("…"), ".*"));
}

// The lines of `shown` must be among those of `printed`, in their order.
void ExpectShown(const std::string& shown, const std::string& printed) {
  std::vector<std::string> lines = Lines(printed);
  auto at = lines.begin();
  for (const std::string& line : Lines(shown)) {
    const std::regex pattern = Pattern(line);
    at = std::find_if(at, lines.end(), [&](const std::string& each) { return std::regex_match(each, pattern); });
    ASSERT_NE(at, lines.end()) << "the page shows '" << line << "'; printed was\n" << printed;
    ++at;
  }
}

bool IsCompared(const std::string& page, int block) {
  for (const NotCompared& each : kNotCompared) {
    if (each.page == page && each.block == block) return std::cout << "not compared: " << each.reason << "\n", false;
  }
  return true;
}

TEST(Docs, CommandsOfThePageRun) {
  const char* const page = std::getenv("WEFT_PAGE");
  ASSERT_NE(page, nullptr) << "WEFT_PAGE: got nothing, expected the page, as ctest gives it";
  ScratchTree tree(kNotRun);
  std::string printed;
  int number = -1;
  for (const Block& block : BlocksOf(SourceFile(page))) {
    ++number;
    SCOPED_TRACE(std::string(page) + ":" + std::to_string(block.line));
    if (!block.file.empty()) {
      EXPECT_THAT(SourceFile(block.file), testing::HasSubstr(block.text));
    } else if (block.language == "sh" || block.language == "python") {
      const Outcome outcome =
          block.language == "sh" ? tree.Run(block.text) : tree.Run(block.text, {"/usr/bin/python3", "-B"});
      EXPECT_EQ(outcome.code, 0) << block.text << outcome.err;
      for (const std::string& line : tree.TakeNotRun()) ExpectKnownCommand(line);
      printed = outcome.out + outcome.err;
    } else if (block.language == "text" && IsCompared(page, number)) {
      ExpectShown(block.text, printed);
    }
  }
}

// Training comes first: others use its model.
TEST(Docs, ExamplesOfTheHelpTextsRun) {
  ScratchTree tree(kNotRun);
  for (const std::string& name : CommandNames()) {
    const std::string example = ExampleOf(RunTool({name, "--help"}).out);
    ASSERT_TRUE(example == "vae " + name || example.starts_with("vae " + name + " "))
        << name << ": '" << example << "'";
    if (name == "train") tree.Run("rm -r runs/first");
    const Outcome outcome = tree.Run(example);
    EXPECT_EQ(outcome.code, name == "diff" ? 1 : 0) << example << "\n" << outcome.err;  // two checkpoints differ
  }
}

}  // namespace
}  // namespace weft
