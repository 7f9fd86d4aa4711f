// Durable writing and exact reading over the calls of a FileSystem.
#include "weft/graph/runtime/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "weft/graph/error.h"

namespace weft {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::string_view kTemporary = ".tmp-";
constexpr size_t kLockLength = 64;  // a number of at most 20 digits, a space, a word of at most 40 characters

std::string PathText(const std::filesystem::path& path) { return Escaped(path.string(), 400); }

[[noreturn]] void Throw(int error, const std::string& message) {
  throw std::system_error(error, std::generic_category(), message);
}

// Calls again as long as a signal came in between.
template <class Call>
auto Retried(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// ", 4096 bytes free": what one wants to know when a disk is full.
std::string Space(int error, const std::filesystem::path& directory) {
  if (error != ENOSPC && error != EDQUOT && error != EFBIG) return "";
  std::error_code unknown;
  const auto space = std::filesystem::space(directory, unknown);
  return unknown ? "" : fmt::format(", {} bytes free", space.available);
}

Descriptor OpenDirectory(const FileSystem& system, const std::filesystem::path& directory) {
  return {system,
          Retried([&] { return system.open(AT_FDCWD, directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); })};
}

// False, with errno, if the names in the directory may not be on the disk; file systems without such a sync say EINVAL.
bool SyncNames(const FileSystem& system, const Descriptor& directory) {
  return Retried([&] { return system.sync(directory.get()); }) == 0 || errno == EINVAL || errno == ENOTSUP;
}

// Writes one file under a temporary name; the destructor removes what was not renamed.
class TemporaryFile {
 public:
  TemporaryFile(const FileSystem& system, const std::filesystem::path& file, const std::filesystem::path& directory)
      : system_(system),
        file_(file),
        directory_path_(directory),
        directory_(OpenDirectory(system, directory)),
        temporary_(system, Create()) {}
  ~TemporaryFile() {
    if (exists_) system_.unlink(directory_.get(), name_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void Write(std::span<const FilePiece> pieces) {
    uint64_t expected = 0, written = 0;
    for (const FilePiece& piece : pieces) expected += piece.size;
    for (const FilePiece& piece : pieces) {
      Bytes rest = piece.bytes();
      while (!rest.empty()) {
        const int64_t count = Retried([&] { return system_.write(temporary_.get(), rest); });
        if (count <= 0) {
          const int error = count < 0 ? errno : EIO;
          Fail(error, fmt::format("got {} of {} bytes written{}", written, expected, Space(error, directory_path_)));
        }
        rest = rest.subspan(static_cast<size_t>(count));
        written += static_cast<uint64_t>(count);
      }
    }
  }

  void Sync() {
    if (Retried([&] { return system_.sync(temporary_.get()); }) < 0) {
      const int error = errno;
      Fail(error, fmt::format("the bytes may not have reached the disk{}", Space(error, directory_path_)));
    }
    // After a successful fsync an interrupted close has lost nothing.
    if (temporary_.Close() < 0 && errno != EINTR) Fail(errno, "cannot close it");
  }

  void Rename(const std::string& name) {
    if (Retried([&] { return system_.rename(directory_.get(), name_.c_str(), name.c_str()); }) < 0) {
      Fail(errno, "cannot rename it");
    }
    exists_ = false;
    if (!SyncNames(system_, directory_)) {
      Throw(errno, fmt::format("write: {}: the file is complete, but its directory cannot be synced: a power cut may "
                               "bring the old one back",
                               PathText(file_)));
    }
  }

 private:
  int Create() {
    if (!directory_.is_open()) Fail(errno, fmt::format("cannot open the directory '{}'", PathText(directory_path_)));
    constexpr int kAttempts = 1000;  // names left by dead processes that had the same number
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      // Names have at most 255 bytes. The process and the number keep writers apart.
      name_ = fmt::format(".{}{}{}-{}", file_.filename().string().substr(0, 200), kTemporary, getpid(), attempt);
      const int file = Retried([&] {
        return system_.open(directory_.get(), name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC);
      });
      exists_ = file >= 0;
      if (exists_) return file;
      if (errno != EEXIST) break;
    }
    Fail(errno, fmt::format("cannot create a file in '{}'", PathText(directory_path_)));
  }

  [[noreturn]] void Fail(int error, std::string_view what) const {
    Throw(error, fmt::format("write: {}: {}; what was there before is kept", PathText(file_), what));
  }

  const FileSystem& system_;
  const std::filesystem::path& file_;
  const std::filesystem::path& directory_path_;
  Descriptor directory_;
  std::string name_;
  bool exists_ = false;
  Descriptor temporary_;
};

std::string_view KindOf(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  return "a device";
}

}  // namespace

FileSystem::FileSystem()
    : open([](int directory, const char* name, int flags) { return ::openat(directory, name, flags, 0666); }),
      read([](int file, std::span<std::byte> to, uint64_t offset) {
        return int64_t{::pread(file, to.data(), to.size(), static_cast<off_t>(offset))};
      }),
      write([](int file, Bytes from) { return int64_t{::write(file, from.data(), from.size())}; }),
      sync(::fsync),
      close(::close),
      rename(
          [](int directory, const char* from, const char* to) { return ::renameat(directory, from, directory, to); }),
      unlink([](int directory, const char* name) { return ::unlinkat(directory, name, 0); }) {}

std::string TemporaryTarget(const std::string& name) {
  const size_t end = name.rfind(kTemporary);
  return name.starts_with('.') && end != std::string::npos ? name.substr(1, end - 1) : "";
}

void WriteDurably(const FileSystem& system, const std::filesystem::path& file, std::span<const Bytes> pieces) {
  std::vector<FilePiece> asked;
  for (const Bytes piece : pieces) asked.push_back({.size = piece.size(), .bytes = [piece] { return piece; }});
  WriteDurably(system, file, std::span<const FilePiece>(asked));
}

void WriteDurably(const FileSystem& system, const std::filesystem::path& file, std::span<const FilePiece> pieces) {
  const std::string name = file.filename().string();
  if (name.empty() || name == "." || name == "..") {
    Throw(EISDIR, fmt::format("write: '{}': got no file name", PathText(file)));
  }
  const std::filesystem::path directory = file.has_parent_path() ? file.parent_path() : ".";
  TemporaryFile temporary(system, file, directory);
  temporary.Write(pieces);
  temporary.Sync();
  temporary.Rename(name);
}

std::vector<std::string> NamesIn(const std::filesystem::path& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), ::closedir);
  if (stream == nullptr) Throw(errno, fmt::format("read: {}: cannot open the directory", PathText(directory)));
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) Throw(errno, fmt::format("read: {}: cannot list the directory", PathText(directory)));
  return names;
}

bool Remove(const FileSystem& system, const std::filesystem::path& file) {
  return Retried([&] { return system.unlink(AT_FDCWD, file.c_str()); }) == 0 || errno == ENOENT;
}

void DeleteTemporaries(const FileSystem& system, const std::filesystem::path& directory,
                       const std::function<bool(const std::string& target)>& is_own) {
  for (const std::string& name : NamesIn(directory)) {
    const std::string target = TemporaryTarget(name);
    if (!target.empty() && is_own(target)) Remove(system, directory / name);
  }
}

void SyncDirectory(const FileSystem& system, const std::filesystem::path& directory) {
  const Descriptor opened = OpenDirectory(system, directory);
  if (opened.is_open() && SyncNames(system, opened)) return;
  Throw(errno, fmt::format("write: {}: the directory cannot be synced", PathText(directory)));
}

int Descriptor::Close() {
  const int file = std::exchange(file_, -1);
  return file < 0 ? 0 : system_->close(file);
}

InputFile::InputFile(const FileSystem& system, const std::filesystem::path& path)
    : system_(&system),
      name_(PathText(path)),
      file_(system, Retried([&] {
              return system.open(AT_FDCWD, path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
            })) {
  if (!file_.is_open()) Throw(errno, fmt::format("read: {}: cannot open it", name_));
  struct stat status {};
  if (::fstat(file_.get(), &status) < 0) Throw(errno, fmt::format("read: {}: cannot look at it", name_));
  if (!S_ISREG(status.st_mode)) {
    throw CheckpointError(fmt::format("file: {}: got {}, expected a regular file", name_, KindOf(status.st_mode)));
  }
  size_ = static_cast<uint64_t>(status.st_size);
}

void InputFile::Read(uint64_t offset, std::span<std::byte> to) const {
  constexpr size_t kLargest = size_t{1} << 30;  // Linux reads at most 2³¹ − 4096 bytes at once
  while (!to.empty()) {
    const int64_t count =
        Retried([&] { return system_->read(file_.get(), to.first(std::min(to.size(), kLargest)), offset); });
    if (count < 0) Throw(errno, fmt::format("read: {}: at byte {}", name_, offset));
    if (count == 0) {
      throw CheckpointError(
          fmt::format("file: {}: got {} bytes, expected {} more: it ends early", name_, offset, to.size()));
    }
    to = to.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
}

FileLock::FileLock(const std::filesystem::path& file)
    : file_(
          Retried([&] { return ::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666); })) {
  if (file_ < 0) Throw(errno, fmt::format("lock: {}: cannot open it", PathText(file)));
  const bool is_taken = Retried([&] { return ::flock(file_, LOCK_EX | LOCK_NB); }) < 0 && errno == EWOULDBLOCK;
  std::array<char, kLockLength> bytes{};
  const ssize_t length = ::pread(file_, bytes.data(), bytes.size(), 0);
  std::string_view text(bytes.data(), static_cast<size_t>(std::max<ssize_t>(length, 0)));
  text = text.substr(0, text.find_last_not_of(' ') + 1);
  const size_t space = std::min(text.find(' '), text.size());
  if (is_taken) {
    ::close(file_);
    Throw(EWOULDBLOCK,
          fmt::format("lock: {}: process {} uses the directory", PathText(file), Escaped(text.substr(0, space))));
  }
  left_ = text.substr(std::min(space + 1, text.size()));
  Leave(left_);
}

// "PID WORD": the process is for the message above, who holds the lock is the system's business. Always as many bytes,
// so that one call replaces all of them: a killed process leaves the one word or the other.
void FileLock::Leave(std::string_view word) const {
  const std::string text = fmt::format("{:<{}}", fmt::format("{} {}", getpid(), word), kLockLength);
  [[maybe_unused]] const bool noted = ::pwrite(file_, text.data(), kLockLength, 0) > 0;
}

FileLock::~FileLock() { ::close(file_); }

}  // namespace weft
