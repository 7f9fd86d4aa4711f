// vae completion: what bash offers, asked as bash asks; what the other shells get is made of the same declarations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weft/tests/examples/help_texts.h"

namespace weft {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

class Completion : public testing::Test {
 protected:
  // What bash offers for the last of `words`, in a directory with runs/ and run.txt.
  std::vector<std::string> Offered(const std::vector<std::string>& words) const {
    std::filesystem::create_directories(own_ / "runs");
    WriteFile(own_ / "run.txt", "");
    std::string script = "source <('" WEFT_VAE_BINARY "' completion bash); COMP_WORDS=(";
    for (const std::string& word : words) script += "'" + word + "' ";
    script += "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _vae; printf '%s\n' \"${COMPREPLY[@]}\"";
    const Outcome outcome = RunTool({"--norc", "-c", script}, {.binary = "/bin/bash", .directory = own_.path()});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    std::vector<std::string> lines = Lines(outcome.out);
    std::erase(lines, "");
    return lines;
  }

  TemporaryDirectory own_;
};

TEST_F(Completion, OffersCommandsOptionsChoicesAndPaths) {
  EXPECT_THAT(Offered({"vae", "e"}), testing::IsSupersetOf({"evaluate", "encode"}));
  EXPECT_THAT(Offered({"vae", "--v"}), UnorderedElementsAre("--version"));
  EXPECT_THAT(Offered({"vae", "train", "--on"}), UnorderedElementsAre("--on-checkpoint-error"));
  EXPECT_THAT(Offered({"vae", "train", "--optimizer", "ada"}), UnorderedElementsAre("adam", "adamw", "adagrad"));
  EXPECT_THAT(Offered({"vae", "train", "--optimizer", "=", "rms"}), UnorderedElementsAre("rmsprop"));
  EXPECT_THAT(Offered({"vae", "train", "--optimizer", "="}), Contains("sgd"));
  EXPECT_THAT(Offered({"vae", "generate", "--range", ""}), UnorderedElementsAre("quantile"));
  EXPECT_THAT(Offered({"vae", "train", "--epochs", ""}), testing::IsEmpty());
  EXPECT_THAT(Offered({"vae", "evaluate", "--from", "run"}), UnorderedElementsAre("runs", "run.txt"));
  EXPECT_THAT(Offered({"vae", "info", "run"}), UnorderedElementsAre("runs", "run.txt"));
  EXPECT_THAT(Offered({"vae", "info", "--h"}), UnorderedElementsAre("--help"));
  EXPECT_THAT(Offered({"vae", "completion", ""}), testing::IsSupersetOf({"bash", "zsh", "fish"}));
  EXPECT_THAT(Offered({"vae", "lint", "--sc"}), Not(Contains("--scope")));
}

TEST_F(Completion, EveryShellKnowsEveryCommandAndOption) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const Outcome outcome = RunTool({"completion", shell});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const std::string dashes = shell == "fish" ? "-l " : "--";
    for (const std::string& command : CommandNames()) {
      EXPECT_THAT(outcome.out, HasSubstr(" " + command)) << shell;
      for (const std::string& option : OptionNames(RunTool({command, "--help"}).out))
        EXPECT_THAT(outcome.out, HasSubstr(dashes + option.substr(2))) << shell << ", " << command;
    }
  }
  ExpectError(RunTool({"completion", "csh"}), 2, "value: shell: got 'csh', expected one of bash, zsh, fish");
}

}  // namespace
}  // namespace weft
