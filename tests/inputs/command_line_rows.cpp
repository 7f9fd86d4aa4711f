// Rows 1 to 15: what a command line may ask for.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "weft/examples/vae/machine.h"
#include "weft/tests/examples/tool_test.h"
#include "weft/tests/inputs/rows.h"

namespace weft {
namespace {

using Arguments = std::vector<std::string>;

// A training of a second or less on the data of the place.
Arguments Training(const Arguments& more) {
  return Arguments{"train", "--data",       "{data}", "--hidden", "16", "--batch",
                   "32",    "--validation", "50",     "--epochs", "1"} +
         more;
}

ToolCase Refused(int row, std::string name, Arguments arguments, std::string message, int code = 2) {
  return {.row = row,
          .name = std::move(name),
          .arguments = std::move(arguments),
          .code = code,
          .message = std::move(message)};
}

// What training leaves behind when its report is lost.
void ExpectCheckpoint(const Place& place) {
  EXPECT_TRUE(std::filesystem::exists(place.own / "out/model-8.safetensors"));
  EXPECT_TRUE(std::filesystem::exists(place.own / "out/curves.png"));
}

ToolCase WithoutReport(std::string name, const std::function<void(Launch&)>& change) {
  return {.row = 13,
          .name = std::move(name),
          .arguments = Training({"--out", "{own}/out"}),
          .code = 5,
          .message = "write: standard output: the results are lost, what was written to files is kept",
          .change = change,
          .check = ExpectCheckpoint,
          .writes = true};
}

std::vector<ToolCase> Numbers() {
  std::vector<ToolCase> cases;
  for (const char* text : {"-1", "0x10", "1e3", "", "9999999999999999999", "3abc"}) {
    cases.push_back(
        Refused(3, text, {"train", std::string("--epochs=") + text},
                std::string("value: --epochs: got '") + text + "', expected a whole number from 1 to 1000000"));
  }
  for (const char* text : {"nan", "inf", "-1", "0", "1e-400"}) {
    cases.push_back(
        Refused(4, text, {"train", std::string("--learning-rate=") + text},
                std::string("value: --learning-rate: got '") + text + "', expected a number above 0 to 1000000000"));
  }
  cases.push_back(
      Refused(4, "a comma", {"train", "--learning-rate=0,001"},
              "--learning-rate: got '0,001', expected a number above 0 to …, with a decimal point as in 0.001"));
  return cases;
}

std::vector<ToolCase> Surroundings() {
  std::vector<ToolCase> cases;
  cases.push_back({.row = 14,
                   .name = "no HOME, a TMPDIR that is not there",
                   .arguments = Training({"--out", "{own}/out"}),
                   .message = "test: negative ELBO",
                   .change =
                       [](Launch& launch) {
                         launch.in_child = [] {
                           unsetenv("HOME");
                           setenv("TMPDIR", "/nowhere", 1);
                         };
                       },
                   .check = ExpectCheckpoint,
                   .writes = true});
  const auto in_deleted_directory = [](Launch& launch) {
    launch.in_child = [] {
      char name[] = "/tmp/weft_gone_XXXXXX";
      [[maybe_unused]] const bool is_gone = mkdtemp(name) != nullptr && chdir(name) == 0 && rmdir(name) == 0;
    };
  };
  cases.push_back({.row = 14,
                   .name = "a working directory that was deleted, and a path of its own",
                   .arguments = Training({"--out", "{own}/out"}),
                   .message = "test: negative ELBO",
                   .change = in_deleted_directory,
                   .check = ExpectCheckpoint,
                   .writes = true});
  cases.push_back({.row = 14,
                   .name = "a working directory that was deleted, for runs/ID",
                   .arguments = Training({"--run-id", "a"}),
                   .code = 5,
                   .message = "runs",
                   .change = in_deleted_directory});
  return cases;
}

// The tool reads no file of options; what comes nearest is a model file, whose parameters --set gives.
std::vector<ToolCase> ModelFiles() {
  const auto reads = [](std::string name, const std::string& text, std::string message, int code) {
    return ToolCase{.row = 15,
                    .name = std::move(name),
                    .arguments = {"graph", "--model", "{own}/m.weft", "--format", "text"},
                    .code = code,
                    .message = std::move(message),
                    .prepare = [text](const Place& place) { WriteFile(place.own / "m.weft", text); }};
  };
  std::string as_on_windows;
  for (const char c : ReadFile(WEFT_SOURCE_DIR "/models/variational_autoencoder.weft")) {
    if (c == '\n') as_on_windows += '\r';
    as_on_windows += c;
  }
  return {
      reads("a byte order mark", "\xEF\xBB\xBFweft model 1\n",
            "model: {own}/m.weft, line 1, column 1: got '\\xef', expected the first line to be 'weft model 1'", 4),
      reads("lines that end as on Windows", as_on_windows,
            "InputData/X = Placeholder() {dtype=f32 shape=[N, 784]} : f32[N, 784]", 0),
      reads("an unknown key", "weft model 1\nX = Placeholder([N, 3])\nH = FullyConnected(X, 2, initialiser = \"he\")\n",
            "model: {own}/m.weft, line 3, column 40: got 'initialiser', expected FullyConnected(x, units, "
            "initializer?, bias?). Did you mean 'initializer'?",
            4)};
}

}  // namespace

std::vector<ToolCase> CommandLineRows() {
  const std::string binary = "a\nb\x1b[2J\xff";
  std::vector<ToolCase> cases = {
      Refused(1, "no arguments", {}, "Usage: vae"),
      Refused(2, "--epoch", {"train", "--epoch", "3"},
              "unknown option: vae train: got '--epoch', expected …. Did you mean '--epochs'?"),
      Refused(5, "no batch", {"train", "--batch", "0"}, "--batch: got '0', expected a whole number from 1 to"),
      Refused(5, "a batch of more than there is", {"train", "--data", "{data}", "--batch", "301", "--out", "{own}/out"},
              "--batch: got 301, expected a whole number from 1 to 300, the number of training images in {data}"),
      Refused(5, "a batch of more than is left",
              {"train", "--data", "{data}", "--batch", "300", "--validation", "50", "--out", "{own}/out"},
              "--batch: got 300, expected a whole number from 1 to 250"),
      Refused(6, "threads below 0", {"train", "--threads", "-3"},
              "--threads: got '-3', expected a whole number from 0 to 1024"),
      Refused(6, "too many threads", {"train", "--threads", "100000"},
              "--threads: got '100000', expected a whole number from 0 to 1024"),
      {.row = 6,
       .name = "0 threads are documented",
       .arguments = {"train", "--help"},
       .message = "--threads …0: as many as the process may use"},
      Refused(7, "no latent", {"train", "--latent", "0"}, "--latent: got '0', expected a whole number from 1"),
      Refused(7, "2⁴⁰ latent", {"train", "--latent", "1099511627776"},
              "--latent: got '1099511627776', which needs …PB for the variables alone, expected a whole number from 1 "
              "to 1000000"),
      Refused(7, "more than the memory",
              {"train", "--data", "{data}", "--batch", "32", "--validation", "50", "--hidden", "1000000", "--out",
               "{own}/out"},
              "memory: model of latent 2, hidden 1000000, layers 3: needs 64…TB for its variables, expected at most",
              7),
      Refused(8, "an option twice", {"train", "--epochs", "3", "--epochs=4"},
              "option given twice: --epochs: got '3' and '4', expected it once"),
      Refused(8, "--resume and --out", {"train", "--resume", "a", "--out", "b"},
              "contradiction: --resume and --out: got both"),
      Refused(8, "--out and --run-id", {"train", "--out", "a", "--run-id", "b"},
              "contradiction: --out and --run-id: got both"),
      Refused(8, "--resume and another --batch", {"train", "--resume", "{run}", "--data", "{data}", "--batch", "64"},
              "contradiction: --resume and --batch: got 64, expected 32 as in the run"),
      Refused(9, "bytes that are no text", {"train", "--epochs=" + binary},
              "--epochs: got 'a\\x0ab\\x1b[2J\\xff', expected"),
      Refused(9, "an option of no text", {"train", "--\xff\xfe"}, "unknown option: vae train: got '--\\xff\\xfe'"),
      Refused(9, "the longest argument", {"train", "--epochs=" + std::string(131'000, '9')}, "--epochs: got '999…", 2),
      Refused(10, "--out in nowhere", Training({"--out", "{own}/out/deeper"}),
              "output: {own}/out/deeper: got a path in '{own}/out', expected one in a directory that exists: directory "
              "does "
              "not exist; nothing was created",
              5),
      Refused(12, "another target", {"train", "--target=AVX9"},
              "--target: got 'AVX9', expected what this machine has: "),
  };
  for (auto& each : Numbers()) cases.push_back(std::move(each));
  cases.push_back(
      {.row = 11,
       .name = "--out with something in it",
       .arguments = Training({"--out", "{own}"}),
       .code = 5,
       .message = "output: {own}: got a directory with 'letter' in it, expected a new or empty one; it is kept",
       .prepare = [](const Place& place) {
         WriteFile(place.own / "letter", "dear");
         WriteFile(place.own / "zebra", "");
       }});
  cases.push_back({.row = 11,
                   .name = "--out that is a file",
                   .arguments = Training({"--out", "{own}/letter"}),
                   .code = 5,
                   .message = "output: {own}/letter: got a file, expected a directory; it is kept",
                   .prepare = [](const Place& place) { WriteFile(place.own / "letter", "dear"); }});
  cases.push_back(
      {.row = 11,
       .name = "a picture that exists",
       .arguments = {"generate", "--from", "{model}", "--out", "{own}"},
       .code = 5,
       .message = "output: {own}/vae_z.png: got a file that exists, expected a new one; it is kept (--force",
       .prepare = [](const Place& place) { WriteFile(place.own / "vae_z.png", "mine"); }});
  // A target that the build has and this machine has not, if there is one.
  const std::vector<std::string> targets = SimdTargets();
  if (std::ranges::find(targets, "AVX3") == targets.end()) {
    cases.push_back(Refused(12, "AVX3 without it", {"train", "--target=AVX3"},
                            "--target: got 'AVX3', expected what this machine has"));
  }
  cases.push_back(WithoutReport("a full device", [](Launch& launch) { launch.out = "/dev/full"; }));
  cases.push_back(
      WithoutReport("a closed stdout", [](Launch& launch) { launch.in_child = [] { close(STDOUT_FILENO); }; }));
  cases.push_back(WithoutReport("a reader that is gone", [](Launch& launch) {
    launch.in_child = [] {
      int ends[2];
      if (pipe(ends) != 0) return;
      close(ends[0]);
      dup2(ends[1], STDOUT_FILENO);
      close(ends[1]);
    };
  }));
  for (auto& each : Surroundings()) cases.push_back(std::move(each));
  for (auto& each : ModelFiles()) cases.push_back(std::move(each));
  return cases;
}

}  // namespace weft
