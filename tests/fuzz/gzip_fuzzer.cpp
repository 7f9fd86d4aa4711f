// gzip files, and idx files in them: accepted exactly when zlib's own reader accepts them, with the same content; and
// nothing is inflated that was not asked for.
//
// The first byte of an input says what the others are: a gzip file as it stands, the body of one whose header and
// trailer are made here, or an idx file that is packed here.
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/examples/vae/idx.h"
#include "weft/tests/fuzz/memory_file.h"
#include "weft/tests/fuzz/oracle.h"

namespace weft {
namespace {

constexpr size_t kMost = size_t{1} << 16;  // bytes of content that are looked at
constexpr int kRaw = -15, kGzip = 15 + 16;

struct Inflated {
  bool ended = false;  // with the end of the stream, right checksums, and nothing behind it
  std::string content;
  size_t taken = 0;  // compressed bytes
};

// Up to kMost bytes of the content by zlib alone: its own reading of headers and trailers, member by member.
Inflated InflatedByZlib(std::string_view compressed, int format) {
  std::vector<uint8_t> room(kMost + 1);
  z_stream zlib{};
  Require(inflateInit2(&zlib, format) == Z_OK, "zlib starts");
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  zlib.avail_in = static_cast<uInt>(compressed.size());
  zlib.next_out = room.data();
  zlib.avail_out = static_cast<uInt>(room.size());
  int status = Z_OK;
  while (status == Z_OK && zlib.avail_out > 0) {
    status = inflate(&zlib, Z_NO_FLUSH);
    if (status == Z_STREAM_END && zlib.avail_in > 0 && format == kGzip) status = inflateReset(&zlib);
  }
  const size_t count = room.size() - zlib.avail_out;
  Inflated result = {.ended = status == Z_STREAM_END,
                     .content = std::string(reinterpret_cast<const char*>(room.data()), count),
                     .taken = compressed.size() - zlib.avail_in};
  inflateEnd(&zlib);
  return result;
}

std::string LittleEndian(uLong number) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(number >> (8 * i) & 0xFF));
  return bytes;
}

std::string Member(std::string_view body, std::string_view content) {
  const uLong checksum = crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size());
  return std::string("\x1F\x8B\x08\0\0\0\0\0\0\3", 10) + std::string(body) + LittleEndian(checksum) +
         LittleEndian(content.size());
}

std::string Packed(std::string_view content) {
  uint16_t length = static_cast<uint16_t>(std::min<size_t>(content.size(), UINT16_MAX));
  content = content.substr(0, length);
  std::string body = {'\1', static_cast<char>(length & 0xFF), static_cast<char>(length >> 8)};  // one stored block
  length = static_cast<uint16_t>(~length);
  body += {static_cast<char>(length & 0xFF), static_cast<char>(length >> 8)};
  return Member(body.append(content), content);
}

std::string FileOf(std::string_view input) {
  const char kind = input.empty() ? '\0' : input[0];
  input = input.substr(std::min<size_t>(input.size(), 1));
  if (kind == 'b') {
    const Inflated inflated = InflatedByZlib(input, kRaw);
    return Member(input.substr(0, inflated.taken), inflated.content);
  }
  return kind == 'i' ? Packed(input) : std::string(input);
}

// Up to kMost + 1 bytes through the reader that is tested.
std::optional<std::string> Content(const std::filesystem::path& path) {
  static std::vector<uint8_t> room(kMost + 1);
  return Accepted<DataError>([&] {
    const ByteStream stream = OpenFile(path);
    const size_t count = stream.read(room);
    return std::string(reinterpret_cast<const char*>(room.data()), count);
  });
}

void CheckImages(const std::filesystem::path& path) {
  const auto images = Accepted<DataError>([&] { return ReadIdxImages(path); });
  if (!images) return;
  Require(images->pixels.size() == static_cast<uint64_t>(images->count * images->rows * images->columns),
          "there are as many pixels as the header says");
}

void Check(std::string_view input) {
  static MemoryFile file;
  const std::string bytes = FileOf(input);
  if (!bytes.starts_with("\x1F\x8B")) return;  // not a gzip file for the tool either
  file.Hold(bytes);
  const std::optional<std::string> content = Content(file.path());
  const Inflated expected = InflatedByZlib(bytes, kGzip);
  if (expected.content.size() <= kMost) {
    Require(content.has_value() == expected.ended, "a gzip file is accepted if and only if zlib accepts it");
  }
  Require(!content || *content == expected.content, "the content is what zlib says");
  CheckImages(file.path());
}

}  // namespace
}  // namespace weft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  weft::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
