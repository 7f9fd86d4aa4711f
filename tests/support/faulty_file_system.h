// A FileSystem on the machine's own that lets one chosen call fail, counts what is read, and notes what reached the
// disk in which order, so that a test can make every state that a power cut may leave.
#pragma once

#include <fcntl.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weft/graph/runtime/file_system.h"

namespace weft {

// kKilledBefore and kKilledAfter: the process ends there, so no later call does anything. (For a process that lives on,
// a disk that is gone until FailAt is called again.)
enum class Fault { kInputOutput, kNoSpace, kQuota, kNoAccess, kInterrupted, kShortWrite, kKilledBefore, kKilledAfter };

inline constexpr Fault kAllFaults[] = {Fault::kInputOutput,  Fault::kNoSpace,     Fault::kQuota,
                                       Fault::kNoAccess,     Fault::kInterrupted, Fault::kShortWrite,
                                       Fault::kKilledBefore, Fault::kKilledAfter};

constexpr bool IsKill(Fault fault) { return fault == Fault::kKilledBefore || fault == Fault::kKilledAfter; }
// What a correct writer gets over without a word.
constexpr bool IsHarmless(Fault fault) { return fault == Fault::kInterrupted || fault == Fault::kShortWrite; }

struct DiskEvent {
  enum Kind { kCreate, kWrite, kSync, kRename, kUnlink, kSyncDirectory };
  Kind kind;
  std::string name = {};     // within the directory
  std::string to = {};       // kRename
  std::string content = {};  // kWrite
};

class FaultyFileSystem {
 public:
  FaultyFileSystem() {
    system_.open = [this](int directory, const char* name, int flags) {
      const int file = Call([&] { return machine_.open(directory, name, flags); });
      const std::string leaf = std::filesystem::path(name).filename().string();
      if (file >= 0) names_[file] = (flags & O_DIRECTORY) != 0 ? "" : leaf;
      if (file >= 0 && (flags & O_CREAT) != 0) events_.push_back({.kind = DiskEvent::kCreate, .name = leaf});
      return file;
    };
    system_.read = [this](int file, std::span<std::byte> to, uint64_t offset) {
      const int64_t count = Call([&] { return machine_.read(file, to, offset); });
      bytes_read_ += count > 0 ? count : 0;
      return count;
    };
    system_.write = [this](int file, std::span<const std::byte> from) {
      const bool is_short = calls_ == fail_at_ && fault_ == Fault::kShortWrite;
      const auto written = from.first(is_short ? (from.size() + 1) / 2 : from.size());
      const int64_t count = Call([&] { return machine_.write(file, written); });
      if (count > 0) {
        const auto* bytes = reinterpret_cast<const char*>(from.data());
        events_.push_back(
            {.kind = DiskEvent::kWrite, .name = names_[file], .content = {bytes, static_cast<size_t>(count)}});
      }
      return count;
    };
    system_.sync = [this](int file) {
      const int result =
          Call([] { return 0; });  // the disk itself would only take time: power cuts are made from the events
      const std::string& name = names_[file];
      if (result == 0) {
        events_.push_back({.kind = name.empty() ? DiskEvent::kSyncDirectory : DiskEvent::kSync, .name = name});
      }
      return result;
    };
    system_.close = [this](int file) {
      const int closed = machine_.close(file);  // in any case: a descriptor is gone after a failed close, too
      return Call([&] { return closed; });
    };
    system_.rename = [this](int directory, const char* from, const char* to) {
      const int result = Call([&] { return machine_.rename(directory, from, to); });
      if (result == 0) events_.push_back({.kind = DiskEvent::kRename, .name = from, .to = to});
      return result;
    };
    system_.unlink = [this](int directory, const char* name) {
      const int result = Call([&] { return machine_.unlink(directory, name); });
      if (result == 0) {
        events_.push_back({.kind = DiskEvent::kUnlink, .name = std::filesystem::path(name).filename().string()});
      }
      return result;
    };
  }
  FaultyFileSystem(const FaultyFileSystem&) = delete;
  FaultyFileSystem& operator=(const FaultyFileSystem&) = delete;

  const FileSystem& system() const { return system_; }
  // Call number `call`, from 0 on, meets the fault.
  void FailAt(int call, Fault fault) {
    fail_at_ = call;
    fault_ = fault;
    is_dead_ = false;
  }
  bool was_hit() const { return calls_ > fail_at_ && fail_at_ >= 0; }
  int calls() const { return calls_; }
  int64_t bytes_read() const { return bytes_read_; }
  const std::vector<DiskEvent>& events() const { return events_; }

 private:
  template <class Real>
  auto Call(const Real& real) -> decltype(real()) {
    const bool meets = calls_++ == fail_at_;
    if (is_dead_) return Fail(EIO);
    if (!meets) return real();
    switch (fault_) {
      case Fault::kInputOutput: return Fail(EIO);
      case Fault::kNoSpace: return Fail(ENOSPC);
      case Fault::kQuota: return Fail(EDQUOT);
      case Fault::kNoAccess: return Fail(EACCES);
      case Fault::kInterrupted: return Fail(EINTR);
      case Fault::kShortWrite: return real();
      case Fault::kKilledBefore: is_dead_ = true; return Fail(EIO);
      case Fault::kKilledAfter: {
        const auto result = real();
        is_dead_ = true;
        return result;
      }
    }
    return Fail(EIO);
  }
  static int Fail(int error) {
    errno = error;
    return -1;
  }

  const FileSystem machine_;
  FileSystem system_;
  std::map<int, std::string> names_;  // of open files; "" is a directory
  std::vector<DiskEvent> events_;
  int calls_ = 0;
  int fail_at_ = -1;
  Fault fault_ = Fault::kInputOutput;
  bool is_dead_ = false;
  int64_t bytes_read_ = 0;
};

}  // namespace weft
