// Opens regular files only and notices when one changes while it is read.
#include "weft/examples/vae/byte_stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include "weft/examples/vae/gunzip.h"
#include "weft/examples/vae/printable.h"

namespace weft {
namespace {

std::string Reason(int error) { return std::generic_category().message(error); }

std::string_view KindOfFile(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISCHR(mode)) return "a character device";
  if (S_ISBLK(mode)) return "a block device";
  if (S_ISSOCK(mode)) return "a socket";
  return "a special file";
}

/// An open file, its size when it was opened, and how much of it has been read.
class RegularFile {
 public:
  explicit RegularFile(const std::filesystem::path& path)
      : name_(Printable(path.native())), descriptor_(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)) {
    if (descriptor_ < 0) {
      const int error = errno;
      throw DataError(fmt::format("cannot open: {}: got '{}', expected a readable file", name_, Reason(error)));
    }
    struct stat status {};
    const bool known = fstat(descriptor_, &status) == 0;
    if (!known || !S_ISREG(status.st_mode)) {
      close(descriptor_);
      throw DataError(fmt::format("not a regular file: {}: got {}, expected a regular file", name_,
                                  known ? KindOfFile(status.st_mode) : "no answer"));
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  ~RegularFile() { close(descriptor_); }
  RegularFile(const RegularFile&) = delete;
  RegularFile& operator=(const RegularFile&) = delete;

  const std::string& name() const { return name_; }
  std::uint64_t size() const { return size_; }

  /// Whether the first two bytes are those of RFC 1952, section 2.3.1.
  bool IsGzip() const {
    std::array<std::uint8_t, 2> magic{};
    return ReadAt(0, magic) == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
  }

  std::size_t Read(std::span<std::uint8_t> target) {
    const std::size_t count = ReadAt(offset_, target);
    offset_ += count;
    const bool ended = count < target.size();
    if (offset_ > size_ || (ended && offset_ < size_)) {
      throw DataError(fmt::format("file changed while it was read: {}: got {}{} bytes, expected {}", name_,
                                  ended ? "" : "at least ", offset_, size_));
    }
    return count;
  }

 private:
  std::size_t ReadAt(std::uint64_t offset, std::span<std::uint8_t> target) const {
    std::size_t count = 0;
    while (count < target.size()) {
      const ssize_t got =
          pread(descriptor_, target.data() + count, target.size() - count, static_cast<off_t>(offset + count));
      if (got == 0) break;
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) {
        const int error = errno;
        throw DataError(fmt::format("cannot read: {}: got '{}' at byte {}, expected {} bytes", name_, Reason(error),
                                    offset + count, size_));
      }
      count += static_cast<std::size_t>(got);
    }
    return count;
  }

  std::string name_;
  int descriptor_;
  std::uint64_t size_ = 0;
  std::uint64_t offset_ = 0;
};

}  // namespace

ByteStream OpenFile(const std::filesystem::path& path) {
  const auto file = std::make_shared<RegularFile>(path);
  ByteStream stream = {.name = file->name(), .size = file->size(), .read = [file](std::span<std::uint8_t> target) {
                         return file->Read(target);
                       }};
  return file->IsGzip() ? Gunzip(std::move(stream)) : stream;
}

}  // namespace weft
