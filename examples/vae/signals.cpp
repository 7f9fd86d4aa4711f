// Handlers do nothing but what POSIX allows in them: they set a flag, write bytes, leave.
#include "weft/examples/vae/signals.h"

#include <csignal>
#include <string_view>

#include <unistd.h>

#include "weft/examples/vae/failure.h"

namespace weft {
namespace {

// A handler can reach nothing else than these.
volatile std::sig_atomic_t deferred = 0;
volatile std::sig_atomic_t noted_signal = 0;
volatile std::sig_atomic_t terminal = 0;

void Handle(int signal) {
  if (deferred != 0 && noted_signal == 0) {
    noted_signal = signal;
    return;
  }
  constexpr std::string_view kShowCursor = "\n\x1b[?25h";  // a bar may stand
  if (terminal != 0) [[maybe_unused]]
    const ssize_t ignored = write(STDERR_FILENO, kShowCursor.data(), kShowCursor.size());
  _exit(static_cast<int>(ExitCodeOf(signal)));
}

}  // namespace

void InstallSignalHandlers() {
  terminal = isatty(STDERR_FILENO);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  struct sigaction action {};
  action.sa_handler = Handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    const bool ignored = sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN;
    if (signal != SIGHUP || !ignored) sigaction(signal, &action, nullptr);
  }
}

DeferredSignals::DeferredSignals() {
  noted_signal = 0;
  deferred = 1;
}

DeferredSignals::~DeferredSignals() { deferred = 0; }

// NOLINTNEXTLINE(readability-convert-member-functions-to-static): only who defers them may ask
int DeferredSignals::noted() const { return noted_signal; }

}  // namespace weft
