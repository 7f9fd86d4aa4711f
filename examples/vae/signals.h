// Signals: what ends the tool at once, what it finishes its step for, and what it does not notice.
#pragma once

namespace weft {

// Behind a closed pipe and beyond a file-size limit a write fails, as it should, and ends nothing. SIGINT, SIGTERM and
// SIGHUP exit with the tool's own codes (a SIGHUP that the parent had ignored stays ignored).
void InstallSignalHandlers();

// While one lives, the first SIGINT, SIGTERM or SIGHUP is only noted; the second one ends the process. One at a time.
class DeferredSignals {
 public:
  DeferredSignals();
  ~DeferredSignals();
  DeferredSignals(const DeferredSignals&) = delete;
  DeferredSignals& operator=(const DeferredSignals&) = delete;

  int noted() const;  // 0: none
};

}  // namespace weft
