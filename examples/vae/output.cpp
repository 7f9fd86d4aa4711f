// write() in a loop.
#include "weft/examples/vae/output.h"

#include <cerrno>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace weft {
namespace {

// 0, or the errno of what went wrong.
int WriteAll(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

}  // namespace

void ReserveStandardStreams() {
  for (int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) < 0) [[maybe_unused]]
      const int lowest_free = open("/dev/null", O_RDONLY);
  }
}

void Output::Write(std::string_view text, bool newline) {
  if (error_ != 0) return;
  error_ = newline ? WriteAll(STDOUT_FILENO, std::string(text) + "\n") : WriteAll(STDOUT_FILENO, text);
}

void Output::Finish() const {
  if (error_ == 0) return;
  throw std::system_error(error_, std::generic_category(),
                          "write: standard output: the results are lost, what was written to files is kept");
}

void Note(std::string_view text) { WriteAll(STDERR_FILENO, std::string(text) + "\n"); }

}  // namespace weft
