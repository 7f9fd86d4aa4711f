// Encodes in memory first, so that a full disk is the only thing that can go wrong while writing.
#include "weft/examples/vae/png_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "weft/examples/vae/printable.h"

namespace weft {
namespace {

[[noreturn]] void Fail(std::string_view what, const std::filesystem::path& path, int error) {
  throw std::system_error(error, std::generic_category(), fmt::format("{}: {}", what, Printable(path.native())));
}

std::vector<std::byte> Encode(cairo_surface_t* surface, const std::filesystem::path& path) {
  std::vector<std::byte> png;
  const auto append = [](void* target, const unsigned char* bytes, unsigned count) {
    const auto chunk = std::as_bytes(std::span(bytes, count));
    try {
      static_cast<std::vector<std::byte>*>(target)->insert(static_cast<std::vector<std::byte>*>(target)->end(),
                                                           chunk.begin(), chunk.end());
    } catch (const std::bad_alloc&) {  // no exception may cross Cairo
      return CAIRO_STATUS_NO_MEMORY;
    }
    return CAIRO_STATUS_SUCCESS;
  };
  RequireDrawn(cairo_surface_write_to_png_stream(surface, append, &png), path);
  return png;
}

/// A new file beside its target, removed again unless it was renamed to it.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::filesystem::path target) : target_(std::move(target)) {
    constexpr int kAttempts = 100;  // names left behind by a process of the same number that was killed
    for (int attempt = 0; descriptor_ < 0; ++attempt) {
      path_ = target_.parent_path() / fmt::format(".picture-{}-{}.tmp", getpid(), attempt);
      descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
      if (descriptor_ < 0 && (errno != EEXIST || attempt == kAttempts)) Fail("cannot create picture", target_, errno);
    }
  }
  ~TemporaryFile() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!renamed_) unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void Write(std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) Fail("cannot write picture", target_, errno);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  void Rename() {
    // Without fsync a power cut can leave the name on an empty file.
    if (fsync(descriptor_) != 0 && errno != EINVAL) Fail("cannot write picture", target_, errno);
    const int closed = close(descriptor_);
    descriptor_ = -1;
    if (closed != 0) Fail("cannot write picture", target_, errno);
    if (rename(path_.c_str(), target_.c_str()) != 0) Fail("cannot rename picture", target_, errno);
    renamed_ = true;
  }

 private:
  std::filesystem::path target_;
  std::filesystem::path path_;
  int descriptor_ = -1;
  bool renamed_ = false;
};

}  // namespace

void RequireDrawn(cairo_status_t status, const std::filesystem::path& path) {
  if (status == CAIRO_STATUS_SUCCESS) return;
  if (status == CAIRO_STATUS_NO_MEMORY) throw std::bad_alloc();
  throw std::runtime_error(
      fmt::format("cannot draw picture: {}: {}", Printable(path.native()), cairo_status_to_string(status)));
}

void WritePng(const std::filesystem::path& path, cairo_surface_t* surface) {
  const std::vector<std::byte> png = Encode(surface, path);
  TemporaryFile file(path);
  file.Write(png);
  file.Rename();
}

}  // namespace weft
