// Runs every case of every row: the exit code, the one sentence, and what was kept, compared byte by byte.
#include "weft/tests/inputs/rows.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weft/graph/error.h"
#include "weft/tests/examples/tool_test.h"

namespace weft {

bool Matches(std::string_view text, std::string_view pattern) {
  constexpr std::string_view kAnything = "…";
  while (true) {
    const size_t end = pattern.find(kAnything);
    const size_t found = text.find(pattern.substr(0, end));
    if (found == std::string_view::npos) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(found + end);
    pattern.remove_prefix(end + kAnything.size());
  }
}

namespace {

std::string With(std::string text, const Place& place) {
  for (const auto& [name, path] :
       {std::pair("{data}", &place.data), {"{run}", &place.run}, {"{model}", &place.model}, {"{own}", &place.own}}) {
    for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at))
      text.replace(at, std::string_view(name).size(), path->string());
  }
  return text;
}

class ToolRows : public ToolTest {
 protected:
  // A usage error shows the usage, where nothing was asked for; all others are one line.
  static void ExpectSentence(const Outcome& outcome, const ToolCase& each, const std::string& expected) {
    ASSERT_FALSE(outcome.err.empty());
    const std::string last = Lines(outcome.err).back();
    if (each.row == 1) {
      EXPECT_TRUE(Matches(outcome.err, expected)) << outcome.err;
      EXPECT_LE(Lines(outcome.err).size(), 24U) << "one screen";
      return;
    }
    EXPECT_TRUE(Matches(last, "vae: error: ")) << last;
    EXPECT_TRUE(Matches(last, expected)) << last << "\nexpected " << expected;
    EXPECT_LE(last.size(), 2048U);
    for (const char c : last) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) << last;
  }

  void Run(const ToolCase& each) {
    SCOPED_TRACE("row " + std::to_string(each.row) + ": " + each.name);
    const TemporaryDirectory own;
    const Place place = {.data = data(), .run = run(), .model = model(), .own = own.path()};
    if (each.prepare) each.prepare(place);
    const auto shared_before = Contents(data().parent_path()), own_before = Contents(own.path());
    const std::set<std::string> names_before = own.Names();
    std::vector<std::string> arguments;
    for (const std::string& argument : each.arguments) arguments.push_back(With(argument, place));
    Launch launch;
    if (each.change) each.change(launch);
    launch.out = With(launch.out, place);
    const Outcome outcome = RunTool(arguments, launch);
    EXPECT_EQ(outcome.code, each.code) << outcome.err;
    const std::string expected = With(each.message, place);
    if (each.code != 0) ExpectSentence(outcome, each, expected);
    else
      EXPECT_TRUE(Matches(outcome.out + outcome.err, expected))
          << outcome.out << outcome.err << "\nexpected " << expected;
    EXPECT_TRUE(Contents(data().parent_path()) == shared_before) << "what others use was changed";
    if (!each.writes) {
      EXPECT_TRUE(Contents(own.path()) == own_before) << "what was there is not kept";
      EXPECT_EQ(own.Names(), names_before);
    }
    if (each.check) each.check(place);
  }

  void RunAll(const std::vector<ToolCase>& cases) {
    for (const ToolCase& each : cases) Run(each);
  }
};

TEST_F(ToolRows, OfTheCommandLine) { RunAll(CommandLineRows()); }
TEST_F(ToolRows, OfData) { RunAll(DataRows()); }
TEST_F(ToolRows, OfCheckpoints) { RunAll(CheckpointRows()); }
TEST_F(ToolRows, OfWriting) { RunAll(WritingRows()); }
TEST_F(ToolRows, OfNumbers) { RunAll(NumericRows()); }

void RunApi(const std::vector<ApiCase>& cases) {
  for (const ApiCase& each : cases) {
    SCOPED_TRACE("row " + std::to_string(each.row) + ": " + each.name);
    std::string sentence;
    try {
      each.action();
    } catch (const std::exception& error) {  // of the library or of the system: never a bare string, never the end
      sentence = error.what();
    }
    EXPECT_EQ(sentence.empty(), each.message.empty()) << sentence;
    EXPECT_TRUE(Matches(sentence, each.message)) << sentence << "\nexpected " << each.message;
    EXPECT_LE(sentence.size(), 2048U);
  }
}

TEST(ApiRows, OfGraphs) { RunApi(GraphRows()); }
TEST(ApiRows, OfFiles) { RunApi(InProcessRows()); }

TEST(AllRows, ArePresent) {
  std::set<int> rows;
  for (const auto& table : {CommandLineRows(), DataRows(), CheckpointRows(), WritingRows(), NumericRows()}) {
    for (const ToolCase& each : table) rows.insert(each.row);
  }
  for (const auto& table : {GraphRows(), InProcessRows()}) {
    for (const ApiCase& each : table) rows.insert(each.row);
  }
  for (int row = 1; row <= kRows; ++row) EXPECT_TRUE(rows.contains(row)) << "row " << row;
  EXPECT_EQ(rows.size(), static_cast<size_t>(kRows));
}

}  // namespace
}  // namespace weft
