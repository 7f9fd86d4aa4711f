// Member headers and trailers are read here and only the body is left to zlib: so both values of a mismatch are known.
#include "weft/examples/vae/gunzip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

namespace weft {
namespace {

// RFC 1952, section 2.3.1: bits of the flag byte.
enum Flag : unsigned { kHeaderChecksum = 2, kExtraField = 4, kFileName = 8, kComment = 16, kReserved = 0xE0 };

constexpr int kRawDeflate = -15;  // negative: zlib expects neither a zlib nor a gzip header

class Inflater {
 public:
  explicit Inflater(ByteStream source) : source_(std::move(source)) {
    if (inflateInit2(&zlib_, kRawDeflate) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&zlib_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  std::size_t Read(std::span<std::uint8_t> target) {
    std::size_t count = 0;
    while (count < target.size()) {
      if (!in_member_ && !StartMember()) break;
      count += InflateSome(target.subspan(count));
    }
    return count;
  }

 private:
  [[noreturn]] void Fail(std::string_view what, std::string_view got, std::string_view expected) const {
    throw DataError(fmt::format("{}: {}: got {}, expected {}", what, source_.name, got, expected));
  }

  std::uint64_t CompressedOffset() const { return taken_ - zlib_.avail_in; }

  /// Whether at least one compressed byte is at hand.
  bool Refill() {
    if (zlib_.avail_in == 0) {
      const std::size_t got = source_.read(buffer_);
      taken_ += got;
      zlib_.next_in = buffer_.data();
      zlib_.avail_in = static_cast<uInt>(got);
    }
    return zlib_.avail_in > 0;
  }

  void RequireMore() {
    if (!Refill()) {
      Fail("gzip stream ends early", fmt::format("{} compressed bytes", taken_),
           "the end of the stream and its checksum");
    }
  }

  std::uint32_t NextByte() {
    RequireMore();
    const std::uint8_t byte = *zlib_.next_in++;
    --zlib_.avail_in;
    header_checksum_ = crc32(header_checksum_, &byte, 1);
    return byte;
  }

  std::uint32_t NextLittleEndian(int bytes) {
    std::uint32_t value = 0;
    for (int i = 0; i < bytes; ++i) value |= NextByte() << (8 * i);
    return value;
  }

  /// Reads the header of the next member; false at the end of the file.
  bool StartMember() {
    if (!Refill()) return false;
    const std::uint64_t start = CompressedOffset();
    header_checksum_ = crc32(0, nullptr, 0);
    RequireMagic(start);
    const std::uint32_t method = NextByte();
    const std::uint32_t flags = NextByte();
    if (method != Z_DEFLATED)
      Fail("unknown gzip compression method", fmt::format("{} at byte {}", method, start + 2), "8");
    if ((flags & kReserved) != 0) {
      Fail("unknown gzip flags", fmt::format("0x{:02X} at byte {}", flags, start + 3), "no reserved bit");
    }
    NextLittleEndian(4);  // time
    NextLittleEndian(2);  // compression level, operating system
    SkipOptionalFields(flags);
    checksum_ = crc32(0, nullptr, 0);
    length_ = 0;
    inflateReset(&zlib_);
    in_member_ = true;
    return true;
  }

  /// Two bytes that open a member; at any but the first, something else is garbage appended to the file.
  void RequireMagic(std::uint64_t start) {
    const bool opens = NextByte() == 0x1F && Refill() && NextByte() == 0x8B;
    if (opens) return;
    const std::uint64_t extra = source_.size.value_or(taken_) - start;
    Fail("garbage after the gzip stream", fmt::format("{} extra bytes at byte {}", extra, start),
         "the end of the file or another gzip member");
  }

  void SkipOptionalFields(std::uint32_t flags) {
    if ((flags & kExtraField) != 0) {
      for (std::uint32_t left = NextLittleEndian(2); left > 0; --left) NextByte();
    }
    for (const Flag text : {kFileName, kComment}) {
      while ((flags & text) != 0 && NextByte() != 0) {}
    }
    if ((flags & kHeaderChecksum) != 0) {
      const auto computed = static_cast<std::uint32_t>(header_checksum_ & 0xFFFF);
      const std::uint32_t stored = NextLittleEndian(2);
      if (computed != stored) {
        Fail("gzip header checksum mismatch", fmt::format("0x{:04X}", computed), fmt::format("0x{:04X}", stored));
      }
    }
  }

  /// Inflates until `target` is full, the compressed bytes at hand are used up or the member ends.
  std::size_t InflateSome(std::span<std::uint8_t> target) {
    RequireMore();
    constexpr std::size_t kLargestStep = std::size_t{1} << 30;  // zlib counts in 32 bits
    const std::size_t room = std::min(target.size(), kLargestStep);
    zlib_.next_out = target.data();
    zlib_.avail_out = static_cast<uInt>(room);
    const int status = inflate(&zlib_, Z_NO_FLUSH);
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      Fail("gzip stream is damaged",
           fmt::format("'{}' near byte {}", zlib_.msg != nullptr ? zlib_.msg : "no reason", CompressedOffset()),
           "deflate data");
    }
    const std::size_t count = room - zlib_.avail_out;
    checksum_ = crc32_z(checksum_, target.data(), count);
    length_ += count;
    if (status == Z_STREAM_END) FinishMember();
    return count;
  }

  void FinishMember() {
    const auto checksum = static_cast<std::uint32_t>(checksum_);
    const std::uint32_t stored_checksum = NextLittleEndian(4);
    const std::uint32_t stored_length = NextLittleEndian(4);
    if (checksum != stored_checksum) {
      Fail("gzip checksum mismatch", fmt::format("CRC-32 0x{:08X} of the content", checksum),
           fmt::format("0x{:08X} as stored", stored_checksum));
    }
    if (static_cast<std::uint32_t>(length_) != stored_length) {  // stored modulo 2³²
      Fail("gzip length mismatch", fmt::format("{} bytes of content", length_),
           fmt::format("{} as stored", stored_length));
    }
    in_member_ = false;
  }

  ByteStream source_;
  std::array<std::uint8_t, 65536> buffer_{};  // the pipe size of Linux: one system call for 64 KiB is cheap enough
  z_stream zlib_{};
  std::uint64_t taken_ = 0;  // compressed bytes read from source_
  bool in_member_ = false;
  uLong header_checksum_ = 0;
  uLong checksum_ = 0;
  std::uint64_t length_ = 0;
};

}  // namespace

ByteStream Gunzip(ByteStream compressed) {
  std::string name = compressed.name;
  const auto inflater = std::make_shared<Inflater>(std::move(compressed));
  return {
      .name = std::move(name), .gzip = true, .size = std::nullopt, .read = [inflater](std::span<std::uint8_t> target) {
        return inflater->Read(target);
      }};
}

}  // namespace weft
