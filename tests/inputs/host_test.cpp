// What a host may rely on: whatever it does to the library, the process goes on, nothing is printed, and nothing of the
// process is changed.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include <array>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "weft/tests/inputs/rows.h"
#include "weft/tests/support/temporary_directory.h"

namespace weft {
namespace {

constexpr const char* kInHost = "WEFT_TEST_IN_HOST";
constexpr int kWhole = 42;  // the code of a child that came to its end

#if defined(__SSE2__)
const unsigned kControlBeforeMain = _mm_getcsr();
#endif

// All that a library could change behind the back of its host.
std::vector<std::string> StateOfProcess() {
  std::vector<std::string> state = {setlocale(LC_ALL, nullptr), std::filesystem::current_path().string()};
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    const bool known = sigaction(signal, nullptr, &action) == 0;
    state.push_back(known ? std::to_string(reinterpret_cast<uintptr_t>(action.sa_handler)) : "none");
  }
  sigset_t blocked;
  sigemptyset(&blocked);
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  for (int signal = 1; signal < NSIG; ++signal) state.push_back(std::to_string(sigismember(&blocked, signal)));
  const mode_t mask = umask(0);
  umask(mask);
  state.push_back(std::to_string(mask));
  for (char** each = environ; *each != nullptr; ++each) state.emplace_back(*each);
#if defined(__SSE2__)
  state.push_back(std::to_string(_mm_getcsr() & ~0x3FU));  // but for the sticky flags
#endif
  return state;
}

// Runs both tables with stdout and stderr going to `prints`. Returns what is wrong.
std::string RunTables(const std::string& prints) {
  const int to = open(prints.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  dup2(to, STDOUT_FILENO);
  dup2(to, STDERR_FILENO);
  const std::vector<std::string> before = StateOfProcess();
  std::string problems;
  for (const auto& table : {GraphRows(), InProcessRows()}) {
    for (const ApiCase& each : table) {
      std::string sentence;
      try {
        each.action();
      } catch (const std::exception& error) {
        sentence = error.what();
      }
      if (sentence.empty() != each.message.empty()) problems += each.name + ": " + sentence + "\n";
    }
  }
  if (StateOfProcess() != before) problems += "the process was changed\n";
  if (const std::string text = ReadFile(prints); !text.empty()) problems += "printed: " + text + "\n";
  return problems;
}

// The child is this very test: it must come to the last line, whose system call no abort, exit or terminate makes.
TEST(Host, IsNeitherEndedNorSpokenToNorChanged) {
  if (std::getenv(kInHost) != nullptr) {
    const TemporaryDirectory directory;
    const int speaks = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    const std::string problems = RunTables((directory / "prints").string());
    [[maybe_unused]] const ssize_t ignored = write(speaks, problems.data(), problems.size());
    std::filesystem::remove_all(directory.path());
    syscall(SYS_exit_group, problems.empty() ? kWhole : 1);
  }
  Launch launch;
  launch.binary = std::filesystem::read_symlink("/proc/self/exe").string();
  launch.in_child = [] { setenv(kInHost, "", 1); };
  const Outcome outcome = RunTool({"--gtest_filter=Host.IsNeitherEndedNorSpokenToNorChanged"}, launch);
  EXPECT_EQ(outcome.code, kWhole) << outcome.err;
}

#if defined(__SSE2__)
// A library that was linked with -ffast-math would have changed it by a constructor (crtfastmath).
TEST(Host, HasTheFloatingPointOfTheStandardAtMain) {
  EXPECT_EQ(kControlBeforeMain, 0x1F80U);
  EXPECT_EQ(_mm_getcsr() & ~0x3FU, 0x1F80U);
}
#endif

}  // namespace
}  // namespace weft
