// Reading the command line: numbers, ranges, names, and what the refusal says.
#include "weft/examples/vae/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <variant>

#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/command_line.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string Refusal(const std::vector<std::string>& arguments) {
  return Thrown<UsageError>([&] { ParseCommandLine(arguments); });
}

TrainOptions Train(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "train");
  return std::get<TrainOptions>(ParseCommandLine(arguments));
}

TEST(Options, DefaultsAreThoseOfTheContract) {
  const TrainOptions options = Train({});
  EXPECT_EQ(options.epochs, 20);
  EXPECT_EQ(options.step.batch, 128);
  EXPECT_EQ(options.model.latent, 2);
  EXPECT_EQ(options.model.hidden, 512);
  EXPECT_EQ(options.model.layers, 3);
  EXPECT_EQ(options.step.optimizer, "adam");
  EXPECT_EQ(options.step.learning_rate, 0.001);
  EXPECT_EQ(options.step.clip_norm, 5);
  EXPECT_EQ(options.step.beta, 1);
  EXPECT_EQ(options.model.init, "tutorial");
  EXPECT_EQ(options.validation, 5000);
  EXPECT_EQ(options.seed, 1);
  EXPECT_EQ(options.machine.threads, 0);
  EXPECT_EQ(options.keep, 10);
  EXPECT_TRUE(options.out.empty());
  EXPECT_TRUE(options.given.empty());
}

TEST(Options, AreReadInBothForms) {
  const TrainOptions options =
      Train({"--epochs=3", "--learning-rate", "1e-4", "--beta=0.5", "--init", "torch", "--json", "--run-id", "first"});
  EXPECT_EQ(options.epochs, 3);
  EXPECT_EQ(options.step.learning_rate, 1e-4);
  EXPECT_EQ(options.step.beta, 0.5);
  EXPECT_EQ(options.model.init, "torch");
  EXPECT_TRUE(options.json);
  EXPECT_EQ(options.run_id, "first");
  EXPECT_THAT(options.given,
              testing::ElementsAre("--beta", "--epochs", "--init", "--json", "--learning-rate", "--run-id"));
}

TEST(Options, WholeNumbersAreStrict) {
  for (const char* text :
       {"-1", "0x10", "1e3", "", "9999999999999999999", "3abc", "+3", " 3", "3 ", "0", "1.0", "-", "٣"}) {
    EXPECT_THAT(Refusal({"train", std::string("--epochs=") + text}),
                AllOf(HasSubstr("--epochs: got '"), HasSubstr("expected a whole number from 1 to 1000000")))
        << text;
    EXPECT_THAT(Refusal({"train", "--epochs", text}), HasSubstr("--epochs: got '")) << text;
  }
}

TEST(Options, RealNumbersAreStrict) {
  for (const char* text : {"nan", "inf", "-inf", "-1", "0", "1e-400", "1e400", "0x1p3", "", "1e", "1.5x"}) {
    EXPECT_THAT(Refusal({"train", "--learning-rate", text}),
                AllOf(HasSubstr("--learning-rate: got '"), HasSubstr("expected a number above 0 to 1000000000")))
        << text;
  }
  EXPECT_THAT(Refusal({"train", "--learning-rate=0,001"}), AllOf(HasSubstr("'0,001'"), HasSubstr("decimal point")));
}

struct RefusalCase {
  std::vector<std::string> arguments;
  std::vector<std::string> expected;  // parts of the message
};

TEST(Options, RefusalsNameWhatIsWrong) {
  const std::vector<RefusalCase> cases = {
      {{"train", "--epoch", "3"}, {"unknown option", "'--epoch'", "Did you mean '--epochs'?"}},
      {{"train", "--epoch=3"}, {"'--epoch'", "Did you mean '--epochs'?"}},
      {{"train", "-e", "3"}, {"unknown option", "'-e'"}},
      {{"train", "3"}, {"argument", "'3'"}},
      {{"trian"}, {"command", "'trian'", "Did you mean 'train'?"}},
      {{"train", "evaluate"}, {"'evaluate'"}},
      {{"--versoin"}, {"unknown option", "Did you mean '--version'?"}},
      {{"train", "--epochs"}, {"--epochs"}},
      {{"train", "--threads", "-3"}, {"--threads: got '-3'", "from 0 to 1024"}},
      {{"train", "--threads", "100000"}, {"--threads: got '100000'", "from 0 to 1024"}},
      {{"train", "--latent", "0"}, {"--latent: got '0'", "from 1"}},
      {{"train", "--latent", "1099511627776"}, {"--latent: got '1099511627776'", "needs", "PB", "from 1 to 1000000"}},
      {{"train", "--batch", "0"}, {"--batch: got '0'"}},
      {{"train", "--epochs", "3", "--epochs=4"}, {"twice", "--epochs", "'3' and '4'"}},
      {{"train", "--out", "a", "--run-id", "b"}, {"--out and --run-id"}},
      {{"train", "--resume", "a", "--out", "b"}, {"--resume and --out"}},
      {{"train", "--run-id", "../a"}, {"--run-id: got '../a'"}},
      {{"train", "--optimizer", "adm"}, {"--optimizer: got 'adm'", "adam, adamw", "Did you mean 'adam'?"}},
      {{"train", "--init", ""}, {"--init: got ''", "tutorial, torch, glorot"}},
      {{"train", "--out", ""}, {"--out: got ''", "a path"}},
      {{"generate", "--out", "a"}, {"--from"}},
      {{"generate", "--from", "a", "--out", "b", "--range", "wide"}, {"--range: got 'wide'"}},
      {{"info"}, {"file"}},
      {{"info", "a", "b"}, {"'b'"}},
  };
  for (const RefusalCase& each : cases) {
    for (const std::string& part : each.expected)
      EXPECT_THAT(Refusal(each.arguments), HasSubstr(part)) << each.arguments.back();
  }
}

TEST(Options, ForeignTextIsEscapedAndCut) {
  EXPECT_THAT(Refusal({"train", "--epochs=a\nb\x1b[2J"}), HasSubstr("'a\\x0ab\\x1b[2J'"));
  EXPECT_THAT(Refusal({"train", "--\xff\xfe"}), HasSubstr("'--\\xff\\xfe'"));
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"train", "--epochs", std::string(1 << 20, '9')},
        {"train", "--" + std::string(1 << 20, 'x')},
        {std::string(1 << 20, 'x')}}) {
    EXPECT_LT(Refusal(arguments).size(), 2048U);
  }
}

TEST(Options, HelpIsWantedOrNot) {
  EXPECT_TRUE(std::get<HelpText>(ParseCommandLine({"--help"})).wanted);
  EXPECT_FALSE(std::get<HelpText>(ParseCommandLine({})).wanted);
  EXPECT_LE(std::ranges::count(std::get<HelpText>(ParseCommandLine({})).text, '\n'), 24) << "one screen";
  for (const char* command : {"train", "evaluate", "generate", "interpolate", "explore", "encode", "reconstruct",
                              "export", "graph", "info", "plan", "lint", "bench"}) {
    EXPECT_THAT(std::get<HelpText>(ParseCommandLine({command, "--help"})).text,
                HasSubstr(std::string("Example: vae ") + command));
  }
  EXPECT_TRUE(std::holds_alternative<VersionRequest>(ParseCommandLine({"--version"})));
}

}  // namespace
}  // namespace weft
