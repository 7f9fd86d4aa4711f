// What a fuzzer asks of an answer, beyond that it comes.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

// Another name of stderr as it was at the start: a harness may have its own.
inline const int kReport = dup(STDERR_FILENO);

// Ends the process where `holds` is false, which is a finding.
inline void Require(bool holds, std::string_view what) {
  if (holds) return;
  const std::string line = "finding: " + std::string(what) + "\n";
  [[maybe_unused]] const ssize_t written = write(kReport, line.data(), line.size());
  std::abort();
}

// What `read` gives, nothing if it refuses by an Error.
template <class Error, class Read>
auto Accepted(const Read& read) -> std::optional<decltype(read())> {
  try {
    return read();
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace weft
