// FileSystem: the calls by which a checkpoint reaches the disk, as a record, so that a test can let each of them fail;
// and what is built on them: files written whole and durably, exact ranges read, a lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

// Each is the POSIX call of its name: −1 and errno when it fails. `directory` is a descriptor, or AT_FDCWD.
struct FileSystem {
  FileSystem();  // the machine's own

  // New files get what the umask leaves of 0666.
  std::function<int(int directory, const char* name, int flags)> open;
  std::function<int64_t(int file, std::span<std::byte> to, uint64_t offset)> read;
  std::function<int64_t(int file, std::span<const std::byte> from)> write;
  std::function<int(int file)> sync;
  std::function<int(int file)> close;
  std::function<int(int directory, const char* from, const char* to)> rename;
  std::function<int(int directory, const char* name)> unlink;
};

// Makes `file` consist of the pieces, one behind the other, or leaves it as it was: a temporary file in the same
// directory (see TemporaryTarget), fsync, rename, fsync of the directory. A link at `file` is replaced, not followed. A
// failed fsync is a failed write: the temporary file is dropped, never synced again. (A directory that cannot be synced
// at all, EINVAL, is accepted.) Throws std::system_error with the path and what was kept.
void WriteDurably(const FileSystem& system, const std::filesystem::path& file,
                  std::span<const std::span<const std::byte>> pieces);

// Bytes that need not be in memory before they are written.
struct FilePiece {
  uint64_t size;
  std::function<std::span<const std::byte>()> bytes;  // asked once; valid until the next piece is asked
};
void WriteDurably(const FileSystem& system, const std::filesystem::path& file, std::span<const FilePiece> pieces);

// What a temporary file of this name would have become, "" if it is none: a killed process leaves such files behind.
std::string TemporaryTarget(const std::string& name);

// The names in a directory but "." and "..", in no order. Throws std::system_error with the path. (The
// directory_iterator of libstdc++ ends the program where memory is short: it allocates in a function that must not
// throw.)
std::vector<std::string> NamesIn(const std::filesystem::path& directory);

// Deletes the file; false, with errno, if it is still there.
bool Remove(const FileSystem& system, const std::filesystem::path& file);

// Deletes the temporary files whose target `is_own`, in a directory that nobody else writes such files to now. What
// cannot be deleted stays. Throws std::system_error if there is no such directory.
void DeleteTemporaries(const FileSystem& system, const std::filesystem::path& directory,
                       const std::function<bool(const std::string& target)>& is_own);

// Makes sure that the names in `directory` are on the disk. A file system that cannot do that (EINVAL) is accepted.
// Throws std::system_error.
void SyncDirectory(const FileSystem& system, const std::filesystem::path& directory);

// An open file descriptor.
class Descriptor {
 public:
  Descriptor(const FileSystem& system, int file) : system_(&system), file_(file) {}  // which it closes
  ~Descriptor() { Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return file_; }
  bool is_open() const { return file_ >= 0; }
  int Close();  // 0, or −1 and errno

 private:
  const FileSystem* system_;
  int file_;
};

// A regular file open for reading; never mapped: a mapped file that another process shortens ends the program.
class InputFile {
 public:
  // Throws std::system_error if it cannot be opened, CheckpointError if it is a directory, a FIFO or a device (without
  // waiting for one). Links are followed.
  InputFile(const FileSystem& system, const std::filesystem::path& path);

  uint64_t size() const { return size_; }
  const std::string& name() const { return name_; }  // the path, fit for a message
  // Fills `to` from `offset` on. Throws CheckpointError if the file is shorter, std::system_error if reading fails.
  void Read(uint64_t offset, std::span<std::byte> to) const;

 private:
  const FileSystem* system_;
  std::string name_;
  Descriptor file_;
  uint64_t size_ = 0;
};

// Holds `file` locked against other processes and other objects as long as it lives; the lock of a dead process is
// free. File systems that know no locks are accepted.
class FileLock {
 public:
  // Throws std::system_error naming the process that holds it.
  explicit FileLock(const std::filesystem::path& file);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // Leaves a word of at most 40 characters for who takes the lock next, should this process be killed. It stays until
  // the next one is left. (No word is synced: a power cut may lose it.)
  void Leave(std::string_view word) const;
  // What the last owner left; "" if nothing.
  const std::string& left() const { return left_; }

 private:
  int file_;
  std::string left_;
};

}  // namespace weft
