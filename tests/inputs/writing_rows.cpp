// Rows 62 to 66: places that take no more. The writer's own tests fail it at every call.
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weft/tests/examples/tool_test.h"
#include "weft/tests/inputs/rows.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

void CopyRun(const Place& place) { fs::copy(place.run, place.own / "run"); }

// Goes on with {own}/run for another epoch.
ToolCase Resumed(int row, std::string name, int code, std::string message) {
  return {.row = row,
          .name = std::move(name),
          .arguments = {"train", "--resume", "{own}/run", "--data", "{data}", "--epochs", "3"},
          .code = code,
          .message = std::move(message),
          .prepare = CopyRun};
}

// A disk that takes `bytes` of a file; SIGXFSZ is the tool's to ignore.
ToolCase FullAfter(rlim_t bytes) {
  ToolCase each =
      Resumed(62, "files of at most " + std::to_string(bytes) + " bytes", 5,
              "write: {own}/run/model-24.s…: got …bytes written, …bytes free; what was there before is kept: File "
              "too large");
  each.change = [bytes](Launch& launch) {
    launch.in_child = [bytes] {
      const rlimit limit = {.rlim_cur = bytes, .rlim_max = bytes};
      setrlimit(RLIMIT_FSIZE, &limit);
    };
  };
  return each;
}

void AsNobody(Launch& launch) {
  launch.in_child = [] {  // the superuser may write everywhere
    constexpr uid_t kNobody = 65534;
    [[maybe_unused]] const bool is_nobody = geteuid() != 0 || setuid(kNobody) == 0;
  };
}

}  // namespace

std::vector<ToolCase> WritingRows() {
  std::vector<ToolCase> cases;
  for (const rlim_t bytes : {16, 512, 4'096, 65'536}) cases.push_back(FullAfter(bytes));

  // A pid of 6 bytes fits, weights of 100 kB do not: what is shown is that of the state, too.
  ToolCase read_only = {
      .row = 64,
      .name = "a directory that may only be read",
      .arguments = {"encode", "--from", "{own}/model", "--data", "{own}/data", "--out", "{own}/a.csv"},
      .code = 5,
      .message =
          "write: {own}/a.csv: cannot create a file in '{own}'; what was there before is kept: "
          "Permission denied",
      .prepare =
          [](const Place& place) {
            fs::copy(place.data, place.own / "data");
            fs::copy(place.model, place.own / "model");
            chmod(place.own.c_str(), 0555);
          },
      .change = AsNobody,
      .check = [](const Place& place) { chmod(place.own.c_str(), 0700); }};
  cases.push_back(read_only);
  cases.push_back({.row = 64,
                   .name = "a path with a file in it",
                   .arguments = {"encode", "--from", "{model}", "--data", "{data}", "--out", "{own}/file/a.csv"},
                   .code = 5,
                   .message = "{own}/file/a.csv…Not a directory",
                   .prepare = [](const Place& place) { WriteFile(place.own / "file", "mine"); }});

  ToolCase stale = Resumed(65, "what a dead process left", 0, "resume      step 16");
  stale.prepare = [](const Place& place) {
    CopyRun(place);
    WriteFile(place.own / "run/.model-24.safetensors.tmp-999999-0", "half");
    WriteFile(place.own / "run/checkpoints.lock", "999999");
  };
  stale.check = [](const Place& place) {
    EXPECT_TRUE(fs::exists(place.own / "run/model-24.safetensors"));
    EXPECT_FALSE(fs::exists(place.own / "run/.model-24.safetensors.tmp-999999-0"));
  };
  stale.writes = true;
  cases.push_back(stale);

  cases.push_back({.row = 66,
                   .name = "a drawing of the graph to a full device",
                   .arguments = {"graph", "--hidden", "16", "--format", "dot", "--depth", "1"},
                   .code = 5,
                   .message = "write: standard output: ",
                   .change = [](Launch& launch) { launch.out = "/dev/full"; }});
  // The picture is in the way of a directory: training is done all the same.
  ToolCase no_picture = Resumed(66, "a picture that cannot be written", 5, "{own}/run/curves.png");
  no_picture.prepare = [](const Place& place) {
    CopyRun(place);
    fs::remove(place.own / "run/curves.png");
    fs::create_directory(place.own / "run/curves.png");
  };
  no_picture.check = [](const Place& place) {
    EXPECT_TRUE(fs::exists(place.own / "run/model-24.safetensors"));
    EXPECT_TRUE(fs::exists(place.own / "run/latent.png"));
  };
  no_picture.writes = true;
  cases.push_back(no_picture);
  return cases;
}

}  // namespace weft
