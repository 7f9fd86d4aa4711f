// From exceptions to exit codes.
#include "weft/examples/vae/failure.h"

#include <csignal>
#include <new>
#include <system_error>

#include <fmt/format.h>

#include "weft/examples/vae/byte_stream.h"
#include "weft/graph/error.h"

namespace weft {
namespace {

constexpr size_t kLongest = 2000;  // with what stands before it, below 2 KiB

Failure Failed(ExitCode code, std::string_view text) {
  return {.code = code, .message = fmt::format("vae: error: {}", Escaped(OneLine(text), kLongest))};
}

Failure Bug(std::string_view text) {
  return Failed(ExitCode::kInternal,
                fmt::format("internal: {}; this is a bug: please report it with the command line", text));
}

}  // namespace

ExitCode ExitCodeOf(int signal) { return signal == SIGINT ? ExitCode::kInterrupted : ExitCode::kTerminated; }

Failure Describe(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const UsageError& error) {
    return Failed(ExitCode::kUsage, error.what());
  } catch (const DataError& error) {
    return Failed(ExitCode::kData, error.what());
  } catch (const CheckpointError& error) {
    return Failed(ExitCode::kCheckpoint, error.what());
  } catch (const OutputError& error) {
    return Failed(ExitCode::kIo, error.what());
  } catch (const std::system_error& error) {
    return Failed(ExitCode::kIo, error.what());
  } catch (const NumericError& error) {
    return Failed(ExitCode::kNumeric, error.what());
  } catch (const ResourceError& error) {
    return Failed(ExitCode::kResource, error.what());
  } catch (const std::bad_alloc&) {
    return Failed(ExitCode::kResource, "memory: this process: got less than is needed, expected enough for the model");
  } catch (const Interruption& interruption) {
    return {.code = ExitCodeOf(interruption.signal()),
            .message = fmt::format("vae: {}", Escaped(OneLine(interruption.what()), kLongest))};
  } catch (const std::exception& error) {
    // oneTBB says so where the system has no memory for the stack of a thread.
    if (std::string_view(error.what()).find("pthread_create") != std::string_view::npos)
      return Failed(ExitCode::kResource, fmt::format("memory: threads: {}; fewer --threads need less", error.what()));
    return Bug(error.what());
  } catch (...) {
    return Bug("an exception of unknown type");
  }
}

std::string OneLine(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view piece = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    piece.remove_prefix(std::min(piece.find_first_not_of(' '), piece.size()));
    if (piece.empty()) continue;
    if (!line.empty()) line += line.ends_with('.') || line.ends_with(':') ? " " : "; ";
    line += piece;
  }
  return line;
}

}  // namespace weft
