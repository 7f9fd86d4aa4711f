// vae: trains variational autoencoders and applies them. `vae --help` lists what it does.
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>

#include <unistd.h>

#include "weft/examples/vae/signals.h"
#include "weft/examples/vae/tool.h"

namespace weft {
namespace {

// The stack grows by pages when they are first touched, and where the address space has an end (ulimit -v) a page that
// is missing is a signal. What the main thread needs, 30 registers of 4 KiB and the parsers above all, is touched now.
__attribute__((noinline)) void TouchStack() {
  constexpr size_t kBytes = 1 << 20, kPage = 4096;
  [[maybe_unused]] volatile char stack[kBytes];
  for (size_t at = 0; at < kBytes; at += kPage) stack[at] = 0;
}

// Some code of libraries allocates where it must not throw. Without memory that is the end, but an orderly one.
[[noreturn]] void EndOfMemory() {
  try {
    if (std::current_exception()) std::rethrow_exception(std::current_exception());
  } catch (const std::bad_alloc&) {
    constexpr std::string_view kSentence =
        "vae: error: memory: this process: got less than is needed, expected enough for the model\n";
    [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, kSentence.data(), kSentence.size());
    _exit(static_cast<int>(ExitCode::kResource));
  } catch (...) {}
  std::abort();
}

}  // namespace
}  // namespace weft

int main(int argc, char** argv) {
  using namespace weft;
  TouchStack();
  std::set_terminate(EndOfMemory);
  ReserveStandardStreams();
  InstallSignalHandlers();
  try {
    Output output;
    const ExitCode code = Perform(ParseCommandLine({argv + std::min(argc, 1), argv + argc}), output);
    output.Finish();
    return static_cast<int>(code);
  } catch (...) {
    const Failure failure = Describe(std::current_exception());
    Note(failure.message);
    return static_cast<int>(failure.code);
  }
}
