// Numbers are little-endian; names of fields as in PKWARE's APPNOTE.
#include "weft/exporters/zip.h"

#include <algorithm>
#include <new>
#include <set>

#include <fmt/format.h>
#include <zlib.h>

#include "weft/graph/error.h"
#include "weft/graph/runtime/file_system.h"

namespace weft {
namespace {

constexpr uint32_t kLocalHeader = 0x04034B50, kDirectoryEntry = 0x02014B50, kEnd = 0x06054B50;
constexpr size_t kLocalHeaderBytes = 30, kDirectoryEntryBytes = 46, kEndBytes = 22, kMostComment = 65'535;
constexpr uint16_t kStored = 0, kDeflated = 8;
constexpr uint16_t kEncrypted = 1, kUtf8 = 1 << 11;  // bits of the flags
constexpr uint64_t kMostPacking = 1032;              // deflate: bytes of content a byte
constexpr uint32_t kZip64 = 0xFFFFFFFF;              // "look into the extra field"

[[noreturn]] void Refuse(const InputFile& file, const std::string& sentence) {
  throw CheckpointError(fmt::format("npz: {}: {}", file.name(), sentence));
}

uint32_t Number(std::span<const std::byte> bytes, size_t at, size_t count) {
  uint32_t number = 0;
  for (size_t i = 0; i < count; ++i) number |= std::to_integer<uint32_t>(bytes[at + i]) << (8 * i);
  return number;
}

std::vector<std::byte> Range(const InputFile& file, uint64_t begin, uint64_t count) {
  std::vector<std::byte> bytes(count);
  file.Read(begin, bytes);
  return bytes;
}

struct End {
  uint64_t entries, directory_at, directory_bytes;
};

// The record at the end of the file, before a comment.
End FindEnd(const InputFile& file) {
  const uint64_t tail_bytes = std::min<uint64_t>(file.size(), kEndBytes + kMostComment);
  const std::vector<std::byte> tail = Range(file, file.size() - tail_bytes, tail_bytes);
  for (size_t behind = kEndBytes; behind <= tail.size(); ++behind) {
    const size_t at = tail.size() - behind;
    if (Number(tail, at, 4) != kEnd || Number(tail, at + 20, 2) != behind - kEndBytes) continue;
    const End end = {Number(tail, at + 10, 2), Number(tail, at + 16, 4), Number(tail, at + 12, 4)};
    if (Number(tail, at + 4, 2) != 0) Refuse(file, "got a part of an archive on several disks, expected a whole one");
    if (end.directory_at == kZip64 || end.entries == 0xFFFF)
      Refuse(file, "got a zip64 archive, expected one of less than 4 GiB and 65,535 arrays");
    if (end.directory_at + end.directory_bytes > file.size() - behind)
      Refuse(file, "got a directory of arrays that lies outside of the file, expected one within");
    return end;
  }
  Refuse(file, "got no end of a zip archive, expected one: it is cut, or is something else");
}

void RequireReadable(const InputFile& file, const ZipEntry& entry, uint32_t flags) {
  const std::string name = Escaped(entry.name, 80);
  if ((flags & kEncrypted) != 0) Refuse(file, fmt::format("got '{}' encrypted, expected it in the open", name));
  if (entry.method != kStored && entry.method != kDeflated)
    Refuse(file, fmt::format("got '{}' packed by method {}, expected 0 or 8", name, entry.method));
  if (entry.packed == kZip64 || entry.size == kZip64)
    Refuse(file, fmt::format("got '{}' of 4 GiB or more, expected less", name));
  const bool fits = entry.method == kStored ? entry.size == entry.packed : entry.size <= entry.packed * kMostPacking;
  if (!fits)
    Refuse(file, fmt::format("got '{}' of {} bytes in {}, expected what fits", name, entry.size, entry.packed));
}

std::vector<std::byte> Inflated(const InputFile& file, const ZipEntry& entry, std::vector<std::byte>& packed) {
  std::vector<std::byte> content(entry.size);
  z_stream zlib{};
  constexpr int kRawDeflate = -15;
  if (inflateInit2(&zlib, kRawDeflate) != Z_OK) throw std::bad_alloc();
  zlib.next_in = reinterpret_cast<Bytef*>(packed.data());
  zlib.avail_in = static_cast<uInt>(packed.size());
  std::byte none{};  // zlib wants a place even for nothing
  zlib.next_out = reinterpret_cast<Bytef*>(content.empty() ? &none : content.data());
  zlib.avail_out = static_cast<uInt>(content.size());
  const int code = inflate(&zlib, Z_FINISH);
  const bool whole = code == Z_STREAM_END && zlib.avail_out == 0 && zlib.avail_in == 0;
  inflateEnd(&zlib);
  if (!whole)
    Refuse(file, fmt::format("got damaged data in '{}', expected {} bytes", Escaped(entry.name, 80), entry.size));
  return content;
}

uint32_t Checksum(uint32_t before, const void* bytes, size_t count) {
  return static_cast<uint32_t>(crc32_z(before, static_cast<const Bytef*>(bytes), count));
}

void Append(std::string& text, uint64_t number, size_t count) {
  for (size_t i = 0; i < count; ++i) text.push_back(static_cast<char>(number >> (8 * i) & 0xFF));
}

}  // namespace

std::vector<ZipEntry> ReadZipDirectory(const InputFile& file) {
  const End end = FindEnd(file);
  const std::vector<std::byte> bytes = Range(file, end.directory_at, end.directory_bytes);
  std::vector<ZipEntry> entries;
  std::set<std::string> names;
  uint64_t packed = 0;
  size_t at = 0;
  for (uint64_t i = 0; i < end.entries; ++i) {
    if (bytes.size() - at < kDirectoryEntryBytes || Number(bytes, at, 4) != kDirectoryEntry)
      Refuse(file, fmt::format("got {} arrays in its directory, expected {}", i, end.entries));
    const size_t name = Number(bytes, at + 28, 2), behind = Number(bytes, at + 30, 2) + Number(bytes, at + 32, 2);
    if (bytes.size() - at - kDirectoryEntryBytes < name + behind)
      Refuse(file, fmt::format("got entry {} of its directory cut, expected it whole", i));
    ZipEntry entry = {.name = std::string(reinterpret_cast<const char*>(&bytes[at]) + kDirectoryEntryBytes, name),
                      .method = static_cast<uint16_t>(Number(bytes, at + 10, 2)),
                      .checksum = Number(bytes, at + 16, 4),
                      .packed = Number(bytes, at + 20, 4),
                      .size = Number(bytes, at + 24, 4),
                      .local_at = Number(bytes, at + 42, 4)};
    RequireReadable(file, entry, Number(bytes, at + 8, 2));
    if (!names.insert(entry.name).second) Refuse(file, fmt::format("got '{}' twice", Escaped(entry.name, 80)));
    packed += entry.packed;  // entries that share bytes would make little into much
    if (packed > file.size())
      Refuse(file, fmt::format("got arrays of {} bytes, expected at most {}, the file", packed, file.size()));
    at += kDirectoryEntryBytes + name + behind;
    entries.push_back(std::move(entry));
  }
  if (at != bytes.size())
    Refuse(file, fmt::format("got {} bytes in its directory of {} arrays, expected {}", bytes.size(), end.entries, at));
  return entries;
}

std::vector<std::byte> ReadZipEntry(const InputFile& file, const ZipEntry& entry) {
  const std::vector<std::byte> local = Range(file, entry.local_at, kLocalHeaderBytes);
  if (Number(local, 0, 4) != kLocalHeader)
    Refuse(file,
           fmt::format("got no header of '{}' at byte {}, expected one", Escaped(entry.name, 80), entry.local_at));
  // Sizes stand in the directory: here they may be unknown yet, or in an extra field.
  const uint64_t begin = entry.local_at + kLocalHeaderBytes + Number(local, 26, 2) + Number(local, 28, 2);
  if (begin + entry.packed > file.size())
    Refuse(file, fmt::format("got '{}' cut, expected {} bytes", Escaped(entry.name, 80), entry.packed));
  std::vector<std::byte> content = Range(file, begin, entry.packed);
  if (entry.method == kDeflated) content = Inflated(file, entry, content);
  const uint32_t checksum = Checksum(0, content.data(), content.size());
  if (checksum != entry.checksum) {
    Refuse(file, fmt::format("got checksum {:08x} of '{}', expected {:08x}", checksum, Escaped(entry.name, 80),
                             entry.checksum));
  }
  return content;
}

void ZipWriter::Add(std::string_view name, std::string_view first, std::span<const std::byte> second) {
  const uint64_t size = first.size() + second.size(), at = archive_.size();
  if (entries_ + 1 >= 0xFFFF) throw ResourceError("npz: got more than 65,534 arrays, the limit");
  // Of all, with the directory that is still to come: an entry of it is longer than a local header.
  if (at + size + directory_.size() + 2 * (kDirectoryEntryBytes + name.size()) + kEndBytes >= kZip64)
    throw ResourceError("npz: got 4 GiB or more, expected less");
  const uint32_t checksum = Checksum(Checksum(0, first.data(), first.size()), second.data(), second.size());
  const auto common = [&](std::string& to) {  // of the local header and the directory's entry
    Append(to, 20, 2);                        // version needed
    Append(to, kUtf8, 2);
    Append(to, kStored, 2);
    Append(to, 0, 2);     // no time …
    Append(to, 0x21, 2);  // … on the first day there is, in 1980
    Append(to, checksum, 4);
    Append(to, size, 4);
    Append(to, size, 4);
    Append(to, name.size(), 2);
    Append(to, 0, 2);  // no extra field
  };
  Append(archive_, kLocalHeader, 4);
  common(archive_);
  archive_.append(name).append(first).append(reinterpret_cast<const char*>(second.data()), second.size());
  Append(directory_, kDirectoryEntry, 4);
  Append(directory_, 20, 2);  // version made by
  common(directory_);
  Append(directory_, 0, 2 + 2 + 2);  // comment, disk, attributes …
  Append(directory_, 0, 4);          // … of another system
  Append(directory_, at, 4);
  directory_.append(name);
  ++entries_;
}

std::string ZipWriter::Finish() && {
  const size_t directory_at = archive_.size();
  archive_ += directory_;
  Append(archive_, kEnd, 4);
  Append(archive_, 0, 4);  // disks
  Append(archive_, entries_, 2);
  Append(archive_, entries_, 2);
  Append(archive_, directory_.size(), 4);
  Append(archive_, directory_at, 4);
  Append(archive_, 0, 2);  // no comment
  return std::move(archive_);
}

}  // namespace weft
