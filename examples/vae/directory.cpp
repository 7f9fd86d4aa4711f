// Looking before writing.
#include "weft/examples/vae/directory.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/printable.h"
#include "weft/graph/error.h"
#include "weft/graph/runtime/file_system.h"
#include "weft/models/training/checkpoint_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

fs::path ParentOf(const fs::path& path) {
  const fs::path trimmed = path.has_filename() ? path : path.parent_path();  // "runs/first/" is "runs/first"
  return trimmed.has_parent_path() ? trimmed.parent_path() : fs::path(".");
}

}  // namespace

void MakeDirectory(const fs::path& directory) {
  const fs::file_status status = fs::status(directory);
  if (fs::is_directory(status)) return;
  if (fs::exists(status)) {
    throw OutputError(
        fmt::format("output: {}: got a file, expected a directory; it is kept", Printable(directory.native())));
  }
  if (const fs::path parent = ParentOf(directory); !fs::is_directory(parent)) {
    throw OutputError(
        fmt::format("output: {}: got a path in '{}', expected one in a directory that exists: directory does not "
                    "exist; nothing was created",
                    Printable(directory.native()), Printable(parent.native())));
  }
  fs::create_directory(directory);
  // A power cut must not take the name, and with it all that is in it.
  SyncDirectory(FileSystem(), ParentOf(directory));
}

void RequireEmpty(const fs::path& directory) {
  if (!fs::is_directory(directory)) return;
  std::vector<std::string> names;
  for (std::string& name : NamesIn(directory)) {
    if (name != kCheckpointLock) names.push_back(std::move(name));  // of a run that ended before it wrote anything
  }
  if (names.empty()) return;
  throw OutputError(
      fmt::format("output: {}: got a directory with '{}' in it, expected a new or empty one; it is kept (--resume "
                  "goes on with a run)",
                  Printable(directory.native()), Printable(*std::ranges::min_element(names))));
}

void MakeEmptyDirectory(const fs::path& directory) {
  RequireEmpty(directory);
  MakeDirectory(directory);
}

void RequireReplaceable(const fs::path& file, bool force) {
  const fs::file_status status = fs::symlink_status(file);
  if (!fs::exists(status)) return;
  if (!force) {
    throw OutputError(
        fmt::format("output: {}: got a file that exists, expected a new one; it is kept (--force replaces it)",
                    Printable(file.native())));
  }
  if (!fs::is_regular_file(status) && !fs::is_symlink(status)) {
    throw OutputError(
        fmt::format("output: {}: got a directory or device, expected a file; it is kept", Printable(file.native())));
  }
}

std::string ReadWhole(const fs::path& file, uint64_t most) {
  const FileSystem system;
  const InputFile input(system, file);
  if (input.size() > most) {
    throw CheckpointError(fmt::format("file: {}: got {} bytes, expected at most {}", input.name(), input.size(), most));
  }
  std::string content(input.size(), '\0');
  input.Read(0, std::as_writable_bytes(std::span(content)));
  return content;
}

void WriteWhole(const fs::path& file, std::string_view content) {
  const std::span<const std::byte> piece = std::as_bytes(std::span(content));
  WriteDurably(FileSystem(), file, {&piece, 1});
}

}  // namespace weft
