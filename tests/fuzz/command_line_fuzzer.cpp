// The tool as a whole: any arguments, over files of which one is of the fuzzer's making, end with an exit code of the
// contract and one line that says why, and nothing is written outside the directory of the run.
//
// An input is one argument a line, an empty line, and the content of the files fuzzed and broken/t10k-images-…. Other
// files are there to be refused: dangling, device, unreadable, growing, fifo.
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "weft/examples/vae/tool.h"
#include "weft/tests/fuzz/memory_file.h"
#include "weft/tests/fuzz/oracle.h"
#include "weft/tests/support/temporary_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

// ---- Requests that take no time ------------------------------------------------------------------------------------

void Limit(int64_t& number, int64_t most) { number = std::min(number, most); }

void LimitSource(SourceOptions& source) {
  source.machine.threads = 1;
  if (source.data == DefaultData()) source.data = "data";
}

// What is asked for on a scale of microseconds: the sizes that a parsed request may have.
template <class Options>
void LimitSizes(Options& options) {
  if constexpr (requires { options.model; }) {
    Limit(options.model.hidden, 3);
    Limit(options.model.layers, 1);
    Limit(options.model.latent, 3);
  }
  if constexpr (requires { options.source; }) LimitSource(options.source);
  if constexpr (requires { options.samples; }) Limit(options.samples, 2);
  if constexpr (requires { options.grid; }) Limit(options.grid, 2);
  if constexpr (requires { options.epochs; }) {
    Limit(options.epochs, 2);
    options.machine.threads = 1;
    if (options.data == DefaultData()) options.data = "data";
  }
  if constexpr (requires { options.measure; }) options.measure = false;
}

// ---- The directory -------------------------------------------------------------------------------------------------

std::string Idx(std::string_view header, size_t elements) {
  std::string bytes(header);
  for (size_t i = 0; i < elements; ++i) bytes.push_back(static_cast<char>(header.size() == 16 ? i * 37 : i % 10));
  return bytes;
}

// Six images of 4 × 4 to train on, three to test.
void WriteData(const fs::path& directory) {
  using namespace std::string_view_literals;
  fs::create_directory(directory);
  WriteFile(directory / "train-images-idx3-ubyte", Idx("\0\0\x8\3\0\0\0\6\0\0\0\4\0\0\0\4"sv, 96));
  WriteFile(directory / "train-labels-idx1-ubyte", Idx("\0\0\x8\1\0\0\0\6"sv, 6));
  WriteFile(directory / "t10k-images-idx3-ubyte", Idx("\0\0\x8\3\0\0\0\3\0\0\0\4\0\0\0\4"sv, 48));
  WriteFile(directory / "t10k-labels-idx1-ubyte", Idx("\0\0\x8\1\0\0\0\3"sv, 3));
}

struct Stamp {
  ino_t file;
  off_t size;
  int64_t seconds, nanoseconds;
  bool operator==(const Stamp&) const = default;
};

// A working directory whose content is put back after each input that changed it.
class Workplace {
 public:
  Workplace() {
    for (const char* name : {"a", "b", "work"}) {
      fs::create_directory(path_ /= name);
    }
    fs::current_path(path_);
    WriteData("data");
    WriteData("broken");
    fs::remove("broken/t10k-images-idx3-ubyte");
    MakeSpecialFiles();
    Output output;
    Perform(ParseCommandLine({"train", "--data", "data", "--hidden", "2", "--layers", "1", "--batch", "3",
                              "--validation", "0", "--epochs", "1", "--threads", "1", "--out", "run"}),
            output);
    for (const auto& entry : fs::recursive_directory_iterator("."))
      if (entry.is_regular_file() && !entry.is_symlink()) contents_[entry.path()] = ReadFile(entry.path());
    stamps_ = Stamps();
  }

  MemoryFile& fuzzed() { return fuzzed_; }

  // Throws nothing: what is outside is a finding, what is inside is put back.
  void Inspect() {
    fs::path outside = root_.path();
    for (const char* name : {"a", "b", "work"}) {
      for (const auto& entry : fs::directory_iterator(outside))
        Require(entry.path().filename() == name, "nothing is written outside the working directory");
      outside /= name;
    }
    if (Stamps() == stamps_) return;
    for (const auto& entry : fs::directory_iterator(".")) fs::remove_all(entry);
    for (const auto& [path, content] : contents_) {
      fs::create_directories(path.parent_path());
      WriteFile(path, content);
    }
    MakeSpecialFiles();
    stamps_ = Stamps();
  }

 private:
  // The file of the fuzzer's making, and those that cannot be opened or read, or are longer than they say.
  void MakeSpecialFiles() const {
    const std::pair<fs::path, const char*> links[] = {
        {fuzzed_.path(), "fuzzed"},       {fuzzed_.path(), "broken/t10k-images-idx3-ubyte"},
        {"nowhere", "dangling"},          {"/dev/null", "device"},
        {"/proc/self/mem", "unreadable"}, {"/proc/self/limits", "growing"}};
    for (const auto& [target, name] : links) fs::create_symlink(target, name);
    Require(mkfifo("fifo", 0600) == 0, "a FIFO can be made");
  }

  static std::map<std::string, Stamp> Stamps() {
    std::map<std::string, Stamp> stamps;
    std::vector<std::string> directories = {"."};
    while (!directories.empty()) {
      const std::string directory = std::move(directories.back());
      directories.pop_back();
      DIR* const names = opendir(directory.c_str());
      while (const dirent* const entry = readdir(names)) {
        if (std::string_view(entry->d_name) == "." || std::string_view(entry->d_name) == "..") continue;
        const std::string path = directory + "/" + entry->d_name;
        struct stat status {};
        lstat(path.c_str(), &status);
        stamps[path] = {status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
        if (S_ISDIR(status.st_mode)) directories.push_back(path);
      }
      closedir(names);
    }
    return stamps;
  }

  TemporaryDirectory root_;
  fs::path path_ = root_.path();
  MemoryFile fuzzed_;
  std::map<fs::path, std::string> contents_;
  std::map<std::string, Stamp> stamps_;
};

// ---- Inputs and answers --------------------------------------------------------------------------------------------

// A path stays in the working directory: where it leads is for the user to say. The name of a run is no path.
std::string Confined(std::string argument, std::string_view before) {
  if (before == "--run-id" || argument.starts_with("--run-id=")) return argument;
  for (size_t at; (at = argument.find("..")) != std::string::npos;) argument.replace(at, 2, "_");
  for (size_t i = 0; i < argument.size(); ++i) {
    if (argument[i] == '/' && (i == 0 || argument[i - 1] == '=')) argument[i] = '_';
  }
  return argument;
}

std::vector<std::string> Arguments(std::string_view& input) {
  std::vector<std::string> arguments;
  while (!input.empty() && arguments.size() < 32) {
    const std::string_view line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(line.size() + 1, input.size()));
    if (line.empty()) break;
    const std::string_view text = line.substr(0, line.find('\0'));
    arguments.push_back(Confined(std::string(text), arguments.empty() ? "" : arguments.back()));
  }
  return arguments;
}

// stderr, for the tool: the end of what it writes.
class Errors {
 public:
  Errors() : descriptor_(memfd_create("stderr", MFD_CLOEXEC)) { dup2(descriptor_, STDERR_FILENO); }
  void Clear() {
    Require(ftruncate(descriptor_, 0) == 0 && lseek(descriptor_, 0, SEEK_SET) == 0, "stderr is a file of its own");
  }
  std::string LastLine() const {
    std::string text(static_cast<size_t>(lseek(descriptor_, 0, SEEK_END)), '\0');
    text.resize(static_cast<size_t>(pread(descriptor_, text.data(), text.size(), 0)));
    while (text.ends_with('\n')) text.pop_back();
    return text.substr(text.rfind('\n') + 1);
  }

 private:
  int descriptor_;
};

ExitCode Run(const std::vector<std::string>& arguments) {
  try {
    Output output;
    Request request = ParseCommandLine(arguments);
    if (std::holds_alternative<BenchOptions>(request)) return ExitCode::kOk;  // takes seconds, whatever it measures
    std::visit([](auto& options) { LimitSizes(options); }, request);
    return Perform(request, output);
  } catch (...) {
    const Failure failure = Describe(std::current_exception());
    Note(failure.message);
    return failure.code;
  }
}

void Check(std::string_view input) {
  static Errors errors;
  static auto* workplace = new Workplace;  // for good: its directory is left to the system where a finding ends it
  const std::vector<std::string> arguments = Arguments(input);
  workplace->fuzzed().Hold(input);
  errors.Clear();
  const ExitCode code = Run(arguments);
  const std::string last = errors.LastLine();
  const bool is_error = last.starts_with("vae: error: ");
  const auto said = [&](const char* rule) {
    return fmt::format("{}: exit code {} of {}, '{}'", rule, static_cast<int>(code), arguments, last);
  };
  constexpr ExitCode kContract[] = {ExitCode::kOk, ExitCode::kUsage,   ExitCode::kData,    ExitCode::kCheckpoint,
                                    ExitCode::kIo, ExitCode::kNumeric, ExitCode::kResource};
  Require(std::ranges::find(kContract, code) != std::end(kContract), said("exit code of the contract"));
  Require(code != ExitCode::kOk || !is_error, said("success says no error"));
  Require(code == ExitCode::kOk || is_error || (code == ExitCode::kUsage && !last.empty()), said("a failure says why"));
  Require(last.size() <= 2048 && std::ranges::none_of(last, [](unsigned char c) { return c < 0x20 || c == 0x7F; }),
          "one printable line");
  workplace->Inspect();
}

}  // namespace
}  // namespace weft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  weft::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
