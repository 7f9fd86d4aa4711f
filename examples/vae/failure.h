// How the tool ends: its exit codes, and the one line that says why.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

namespace weft {

enum class ExitCode : int {
  kOk = 0,
  kInternal = 1,    // a bug of ours
  kDifferent = 1,   // vae diff, as diff and cmp say it
  kUsage = 2,       // the command line
  kData = 3,        // a file of examples
  kCheckpoint = 4,  // a checkpoint or graph file
  kIo = 5,          // reading or writing as such
  kNumeric = 6,     // NaN or infinity
  kResource = 7,    // memory
  kInterrupted = 130,
  kTerminated = 143,
};

// The command line asks for what there is not. Texts are `WHAT: WHERE: got X, expected Y`, as for all errors.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A place in the file system that must not be written to as it is; nothing was changed.
class OutputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A signal asked the tool to end, and it did so in order.
class Interruption : public std::runtime_error {
 public:
  Interruption(int signal, const std::string& text) : std::runtime_error(text), signal_(signal) {}
  int signal() const { return signal_; }

 private:
  int signal_;
};

// 130 for SIGINT, 143 for all others.
ExitCode ExitCodeOf(int signal);

struct Failure {
  ExitCode code;
  std::string message;  // "vae: error: …", one line without control characters, at most 2 KiB
};

// What an exception means for the user: the only place where this is decided.
Failure Describe(const std::exception_ptr& exception);

// The lines of `text` as one: "Op 'A': shapes differ. left 'X' f32[2]; right 'Y' f32[3]".
std::string OneLine(std::string_view text);

}  // namespace weft
