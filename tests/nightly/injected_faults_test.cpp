// The real program under strace, which lets one call after the other fail, or kills the program before it: every call
// that touches the directory of the run.
#include <map>
#include <regex>
#include <sstream>

#include "weft/tests/examples/crashing_run.h"

namespace weft {
namespace {

constexpr const char* kStrace = "/usr/bin/strace";
constexpr const char* kKill = "signal=KILL";

class InjectedFaults : public CrashingRun {
 protected:
  // A run that goes on from its step 58 and has two steps and its pictures to do.
  void Prepare() const {
    std::filesystem::remove_all(out());
    std::filesystem::create_directory(out());
    GenerationIndex index;
    for (const int64_t step : {kSteps - 3, kSteps - 2}) {
      index.generations.push_back(GenerationAt(out(), step));
      const Generation from = GenerationAt(whole(), step), to = GenerationAt(out(), step);
      std::filesystem::copy_file(from.weights, to.weights);
      std::filesystem::copy_file(from.state, to.state);
    }
    WriteFile(out() / kIndexName, GenerationIndexText(index, std::nullopt));
  }

  Outcome Traced(const std::vector<std::string>& strace) const {
    const Launch launch = {.binary = kStrace};
    return RunTool(std::vector<std::string>{"-f", "-qq", "-y"} + strace + std::vector<std::string>{WEFT_VAE_BINARY} +
                       Resumed(out(), {"--keep", "2", "--threads", "1"}),
                   launch);
  }

  // Of each call, which of its occurrences touch the directory of the run, counted from 1.
  std::map<std::string, std::vector<int>> Occurrences() const {
    const std::filesystem::path log = own_ / "log";
    EXPECT_EQ(Traced({"-o", log.string()}).code, 0);
    std::istringstream lines(ReadFile(log));
    const std::regex call("^[0-9]+ +([a-z0-9]+)\\(.*");
    std::map<std::string, int> counts;
    std::map<std::string, std::vector<int>> occurrences;
    std::smatch match;
    for (std::string line; std::getline(lines, line);) {
      if (!std::regex_match(line, match, call)) continue;
      const int count = ++counts[match[1]];
      if (line.find(out().string()) != std::string::npos) occurrences[match[1]].push_back(count);
    }
    return occurrences;
  }

  void Inject(const std::string& call, int occurrence, const std::string& fault) const {
    SCOPED_TRACE(call + " " + std::to_string(occurrence) + " " + fault);
    Prepare();
    const Outcome outcome = Traced({"-o", "/dev/null", "-e", "trace=" + call, "-e",
                                    "inject=" + call + ":" + fault + ":when=" + std::to_string(occurrence)});
    if (fault == kKill) {
      EXPECT_EQ(outcome.code, 256 + SIGKILL) << outcome.err;
    } else if (fault == "error=EINTR") {
      EXPECT_EQ(outcome.code, 0) << outcome.err;
    } else if (outcome.code != 0) {
      ExpectError(outcome, 5, out().string());
      EXPECT_THAT(Temporaries(), testing::IsEmpty());
    }
    ExpectKept(outcome.code == 0 ? kSteps : kSteps - 2);

    const Outcome resumed = RunTool(Resumed(out(), {"--keep", "2"}));
    EXPECT_EQ(resumed.code, 0) << resumed.err;
    ExpectKept(kSteps);
    ExpectTidy();
  }
};

TEST_F(InjectedFaults, EveryCallMayFailInEveryWay) {
  if (!std::filesystem::exists(kStrace)) GTEST_SKIP() << "there is no " << kStrace;
  if (RunTool({"-qq", "-o", "/dev/null", "/bin/true"}, {.binary = kStrace}).code != 0) {
    GTEST_SKIP() << kStrace << " may not trace here";
  }
  Prepare();
  const std::map<std::string, std::vector<int>> occurrences = Occurrences();
  const std::vector<std::pair<std::string, std::vector<std::string>>> faults = {
      {"openat", {"error=EIO", "error=EMFILE", "error=EACCES"}},
      {"write", {"error=ENOSPC", "error=EIO", "error=EDQUOT", "error=EINTR", kKill}},
      {"pwrite64", {"error=ENOSPC", "error=EINTR", kKill}},
      {"pread64", {"error=EIO", "error=EINTR"}},
      {"fsync", {"error=EIO", "error=ENOSPC", "error=EINTR", "error=EINVAL", kKill}},
      {"renameat", {"error=EACCES", "error=ENOSPC", "error=EIO", kKill}},
      {"unlinkat", {"error=EACCES", "error=EIO", kKill}},
      {"close", {"error=EIO", kKill}},
  };
  int points = 0;
  for (const auto& [call, kinds] : faults) {
    ASSERT_TRUE(occurrences.contains(call)) << call;
    for (const int occurrence : occurrences.at(call)) {
      for (const std::string& kind : kinds) {
        Inject(call, occurrence, kind);
        ++points;
        if (HasFailure()) return;
      }
    }
    std::cout << call << ": " << occurrences.at(call).size() << " calls × " << kinds.size() << " faults\n"
              << std::flush;
  }
  std::cout << points << " points\n";
  EXPECT_GE(points, 200);
}

}  // namespace
}  // namespace weft
