// Files in memory, for readers that take a path: no disk, and nothing to clean up.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "weft/graph/runtime/file_system.h"

namespace weft {

// One regular file whose content changes; opening its path gives a descriptor with an offset of its own.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("fuzz", MFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::runtime_error("memfd_create");
    path_ = "/proc/self/fd/" + std::to_string(descriptor_);
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void Hold(std::string_view content) {
    if (ftruncate(descriptor_, 0) != 0 ||
        pwrite(descriptor_, content.data(), content.size(), 0) != static_cast<ssize_t>(content.size())) {
      throw std::runtime_error("memory file");
    }
  }

 private:
  int descriptor_;
  std::filesystem::path path_;
};

// A FileSystem that keeps what is written, whatever it is called.
class WrittenBytes {
 public:
  WrittenBytes() {
    system_.open = [](int, const char*, int) { return dup(STDIN_FILENO); };
    system_.write = [this](int, std::span<const std::byte> from) {
      bytes_.append(reinterpret_cast<const char*>(from.data()), from.size());
      return static_cast<int64_t>(from.size());
    };
    system_.sync = [](int) { return 0; };
    system_.rename = [](int, const char*, const char*) { return 0; };
    system_.unlink = [](int, const char*) { return 0; };
  }
  WrittenBytes(const WrittenBytes&) = delete;
  WrittenBytes& operator=(const WrittenBytes&) = delete;

  const FileSystem& system() const { return system_; }
  const std::string& bytes() const { return bytes_; }

 private:
  FileSystem system_;
  std::string bytes_;
};

}  // namespace weft
