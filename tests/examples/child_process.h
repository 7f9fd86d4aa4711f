// The tool as a user meets it: a process with arguments, two streams, signals and an exit code.
//
//   const Outcome outcome = RunTool({"info", "model.safetensors"});
//   EXPECT_EQ(outcome.code, 4);
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace weft {

using Microseconds = std::chrono::microseconds;

struct Outcome {
  int code = -1;  // 256 + number for a process that a signal ended
  std::string out, err;
  size_t threads = 0;  // the most that were seen at once
  pid_t process = 0;
  std::optional<Microseconds> after_signal;  // from the first timed signal to the end
};

struct TimedSignal {
  Microseconds after{};  // the start of the process
  int signal = 0;
};

struct Launch {
  std::string binary = WEFT_VAE_BINARY;
  std::filesystem::path directory = std::filesystem::temp_directory_path();  // where it runs
  std::string out = {};  // stdout goes to this file, not to the outcome
  rlim_t largest_file = RLIM_INFINITY;
  std::function<void()> in_child = nullptr;  // called before the tool is: closes, unsets, limits
  std::vector<TimedSignal> signals = {};     // in the order of time; those that are late are not sent
  // Called with all of stdout whenever there is more of it; may send a signal to the process.
  std::function<void(const std::string& out, pid_t process)> watch = nullptr;
};

namespace internal {

struct Pipe {
  int read_end = -1, write_end = -1;
};

inline Pipe MakePipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  return {.read_end = ends[0], .write_end = ends[1]};
}

[[noreturn]] inline void BecomeTool(const Launch& launch, char* const* arguments, const Pipe& out, const Pipe& err) {
  const int to = launch.out.empty() ? out.write_end : open(launch.out.c_str(), O_WRONLY);
  dup2(to, STDOUT_FILENO);
  dup2(err.write_end, STDERR_FILENO);
  std::signal(SIGHUP, SIG_DFL);  // whatever started the tests
  if (launch.largest_file != RLIM_INFINITY) {
    const rlimit limit = {.rlim_cur = launch.largest_file, .rlim_max = launch.largest_file};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  const bool is_there = chdir(launch.directory.c_str()) == 0;
  if (launch.in_child) launch.in_child();
  if (is_there) execv(launch.binary.c_str(), arguments);
  _exit(127);
}

inline size_t ThreadsOf(pid_t process) {
  std::error_code gone;
  const std::filesystem::directory_iterator tasks("/proc/" + std::to_string(process) + "/task", gone);
  return gone ? 0 : static_cast<size_t>(std::distance(begin(tasks), end(tasks)));
}

// Appends what can be read; false at the end of the stream.
inline bool Drain(int descriptor, std::string& to) {
  std::array<char, 4096> bytes{};
  const ssize_t count = read(descriptor, bytes.data(), bytes.size());
  if (count > 0) to.append(bytes.data(), static_cast<size_t>(count));
  return count > 0 || (count < 0 && errno == EINTR);
}

}  // namespace internal

inline Outcome RunTool(const std::vector<std::string>& arguments, const Launch& launch = {}) {
  std::vector<std::string> texts = {launch.binary};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);

  const internal::Pipe out = internal::MakePipe(), err = internal::MakePipe();
  const pid_t process = fork();
  if (process < 0) throw std::runtime_error("no process");
  if (process == 0) internal::BecomeTool(launch, pointers.data(), out, err);
  close(out.write_end);
  close(err.write_end);

  Outcome outcome;
  outcome.process = process;
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [start] {
    return std::chrono::duration_cast<Microseconds>(std::chrono::steady_clock::now() - start);
  };
  std::span<const TimedSignal> due = launch.signals;
  std::optional<Microseconds> signalled;
  std::array<pollfd, 2> streams = {pollfd{.fd = out.read_end, .events = POLLIN, .revents = 0},
                                   {.fd = err.read_end, .events = POLLIN, .revents = 0}};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    constexpr Microseconds kBetweenCounts{1000};
    const Microseconds now = elapsed();
    const auto wait =
        due.empty() ? kBetweenCounts : std::clamp(due.front().after - now, Microseconds{0}, kBetweenCounts);
    const timespec timeout = {.tv_sec = 0, .tv_nsec = 1000 * wait.count()};
    ppoll(streams.data(), streams.size(), &timeout, nullptr);
    for (; !due.empty() && due.front().after <= elapsed(); due = due.subspan(1)) {
      kill(process, due.front().signal);
      if (!signalled) signalled = elapsed();
    }
    outcome.threads = std::max(outcome.threads, internal::ThreadsOf(process));
    for (pollfd& stream : streams) {
      const bool is_out = &stream == &streams[0];
      if (stream.fd < 0 || stream.revents == 0) continue;
      if (!internal::Drain(stream.fd, is_out ? outcome.out : outcome.err)) stream.fd = -1;
      else if (is_out && launch.watch) launch.watch(outcome.out, process);
    }
  }
  close(out.read_end);
  close(err.read_end);
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {}
  if (signalled) outcome.after_signal = elapsed() - *signalled;
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
  return outcome;
}

}  // namespace weft
