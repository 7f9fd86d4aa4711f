// Header first, then sizes, then memory: nothing is allocated that the file has not been shown to hold.
#include "weft/examples/vae/idx.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "weft/examples/vae/printable.h"

namespace weft {
namespace {

struct Kind {
  std::string_view plural;
  std::uint32_t rank;
};
constexpr Kind kImages = {.plural = "images", .rank = 3};
constexpr Kind kLabels = {.plural = "labels", .rank = 1};

constexpr std::uint32_t kUnsignedByte = 0x08;
constexpr std::uint64_t kElementLimit = std::uint64_t{1} << 40;  // of any tensor of the library
constexpr std::size_t kFirstAllocation = std::size_t{1} << 20;

constexpr std::uint32_t Magic(Kind kind) { return kUnsignedByte << 8 | kind.rank; }
constexpr std::size_t HeaderSize(Kind kind) { return 4 + 4 * kind.rank; }

[[noreturn]] void Fail(std::string_view what, std::string_view where, std::string_view got, std::string_view expected) {
  throw DataError(fmt::format("{}: {}: got {}, expected {}", what, where, got, expected));
}

std::uint32_t BigEndian(std::span<const std::uint8_t> bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

std::string ElementType(std::uint32_t code) {
  switch (code) {
    case 0x09: return "0x09 (signed byte)";
    case 0x0B: return "0x0B (16-bit integer)";
    case 0x0C: return "0x0C (32-bit integer)";
    case 0x0D: return "0x0D (32-bit float)";
    case 0x0E: return "0x0E (64-bit float)";
    default: return fmt::format("0x{:02X}", code);
  }
}

/// Names what is wrong with the first four bytes of a file of `kind`, the commonest mistakes first.
void RequireMagic(std::uint32_t magic, Kind kind, const std::string& name) {
  const Kind other = kind.rank == kImages.rank ? kLabels : kImages;
  const std::string got = fmt::format("0x{:08X}", magic);
  const std::string expected = fmt::format("0x{:08X} ({})", Magic(kind), kind.plural);
  if (magic == Magic(kind)) return;
  if (magic == Magic(other))
    Fail("images and labels are swapped", name, fmt::format("{} ({})", got, other.plural), expected);
  const std::uint32_t reversed = __builtin_bswap32(magic);
  if (reversed == Magic(kind) || reversed == Magic(other)) {
    Fail("header is little-endian", name, got, fmt::format("big-endian {}", expected));
  }
  if (magic >> 16 != 0) Fail("wrong magic number", name, got, expected);
  if (magic >> 8 != kUnsignedByte) {
    Fail("unsupported element type", name, fmt::format("{} at offset 2", ElementType(magic >> 8)),
         "0x08 (unsigned byte)");
  }
  Fail("wrong number of dimensions", name, fmt::format("{} at offset 3", magic & 0xFF),
       fmt::format("{} ({})", kind.rank, kind.plural));
}

/// Reads and checks the header; returns the dimensions.
std::vector<std::uint64_t> ReadHeader(ByteStream& stream, Kind kind) {
  std::array<std::uint8_t, HeaderSize(kImages)> buffer{};
  const auto header = std::span(buffer).first(HeaderSize(kind));
  const std::size_t got = stream.read(header);
  if (got >= 4) RequireMagic(BigEndian(header), kind, stream.name);
  if (got < header.size()) {
    Fail("truncated header", stream.name, fmt::format("{} bytes", got), std::to_string(header.size()));
  }
  std::vector<std::uint64_t> dimensions;
  for (std::size_t at = 4; at < header.size(); at += 4) dimensions.push_back(BigEndian(header.subspan(at)));
  return dimensions;
}

/// The product of the dimensions, which must be positive and below kElementLimit.
std::uint64_t CheckedCount(const std::vector<std::uint64_t>& dimensions, Kind kind, const std::string& name) {
  const std::string got = fmt::format("{} {}", fmt::join(dimensions, " × "), kind.plural);
  if (std::ranges::count(dimensions, 0U) > 0) Fail("dataset is empty", name, got, "at least one and no zero dimension");
  std::uint64_t count = 1;
  for (const std::uint64_t dimension : dimensions) {
    if (__builtin_mul_overflow(count, dimension, &count) || count >= kElementLimit) {
      Fail("dimensions are too large", name, got, fmt::format("fewer than {} elements", kElementLimit));
    }
  }
  return count;
}

/// Reads exactly `count` elements and the end of the file. Memory grows with what arrives, so a header that promises
/// more than the file holds costs at most twice the content.
std::vector<std::uint8_t> ReadElements(ByteStream& stream, std::uint64_t count, Kind kind) {
  const std::uint64_t expected = HeaderSize(kind) + count;
  const auto require = [&](std::uint64_t got) {
    if (got < expected) {
      Fail("truncated file", stream.name, fmt::format("{} bytes", got), fmt::format("{} by its header", expected));
    }
  };
  if (stream.size) {
    require(*stream.size);
    if (*stream.size > expected) {
      Fail("trailing bytes", stream.name, fmt::format("{} extra bytes", *stream.size - expected),
           fmt::format("the end of the file at {}", expected));
    }
  }
  std::vector<std::uint8_t> elements;
  while (elements.size() < count) {
    const std::size_t filled = elements.size();
    elements.resize(std::min<std::uint64_t>(count, std::max(kFirstAllocation, 2 * filled)));
    const auto rest = std::span(elements).subspan(filled);
    const std::size_t got = stream.read(rest);
    if (got < rest.size()) require(HeaderSize(kind) + filled + got);
  }
  // One byte more, never all of it: a gzip bomb stops here. The same read verifies the checksum of gzip content.
  std::array<std::uint8_t, 1> extra{};
  if (stream.read(extra) > 0) {
    Fail("trailing bytes", stream.name, "at least 1 extra byte", fmt::format("the end of the content at {}", expected));
  }
  return elements;
}

Images ReadImages(ByteStream stream) {
  const auto dimensions = ReadHeader(stream, kImages);
  const std::uint64_t count = CheckedCount(dimensions, kImages, stream.name);
  return {.count = static_cast<std::int64_t>(dimensions[0]),
          .rows = static_cast<std::int64_t>(dimensions[1]),
          .columns = static_cast<std::int64_t>(dimensions[2]),
          .pixels = ReadElements(stream, count, kImages)};
}

std::vector<std::uint8_t> ReadLabels(ByteStream stream) {
  const std::uint64_t count = CheckedCount(ReadHeader(stream, kLabels), kLabels, stream.name);
  std::vector<std::uint8_t> labels = ReadElements(stream, count, kLabels);
  const auto wrong = std::ranges::find_if(labels, [](std::uint8_t label) { return label > 9; });
  if (wrong != labels.end()) {
    Fail("label out of range", stream.name, fmt::format("{} at index {}", *wrong, wrong - labels.begin()), "0 to 9");
  }
  return labels;
}

/// Opens `stem` or `stem`.gz and notes what may surprise.
ByteStream OpenEither(const std::filesystem::path& stem, std::vector<std::string>& notes) {
  std::filesystem::path packed = stem;
  packed += ".gz";
  std::error_code ignored;  // a file that cannot be looked at is opened, which names the reason
  const bool has_plain = std::filesystem::symlink_status(stem, ignored).type() != std::filesystem::file_type::not_found;
  const bool has_packed =
      std::filesystem::symlink_status(packed, ignored).type() != std::filesystem::file_type::not_found;
  if (!has_plain && !has_packed) {
    Fail("missing file", Printable(stem.native()), "nothing of this name", "it or the same with .gz");
  }
  ByteStream stream = OpenFile(has_plain ? stem : packed);
  if (has_plain && has_packed) notes.push_back(fmt::format("{}: read; the .gz beside it is not", stream.name));
  if (has_plain && stream.gzip) notes.push_back(fmt::format("{}: plain name, gzip content", stream.name));
  if (!has_plain && !stream.gzip) notes.push_back(fmt::format("{}: gzip name, plain content", stream.name));
  return stream;
}

}  // namespace

Images ReadIdxImages(const std::filesystem::path& path) { return ReadImages(OpenFile(path)); }

std::vector<std::uint8_t> ReadIdxLabels(const std::filesystem::path& path) { return ReadLabels(OpenFile(path)); }

LabelledImages ReadIdxSplit(const std::filesystem::path& directory, std::string_view split) {
  if (split != "train" && split != "test") {
    throw std::invalid_argument(fmt::format("unknown split: got '{}', expected train or test", Printable(split)));
  }
  const std::string prefix = split == "train" ? "train" : "t10k";
  LabelledImages result;
  ByteStream images = OpenEither(directory / (prefix + "-images-idx3-ubyte"), result.notes);
  ByteStream labels = OpenEither(directory / (prefix + "-labels-idx1-ubyte"), result.notes);
  result.images = ReadImages(images);
  result.labels = ReadLabels(labels);
  if (static_cast<std::uint64_t>(result.images.count) != result.labels.size()) {
    Fail("images and labels differ in number", fmt::format("{} and {}", images.name, labels.name),
         fmt::format("{} images and {} labels", result.images.count, result.labels.size()), "one label an image");
  }
  return result;
}

void RequireImageSize(const Images& images, const std::filesystem::path& where, std::int64_t rows, std::int64_t columns,
                      std::string_view node) {
  if (images.rows == rows && images.columns == columns) return;
  Fail("images do not fit the model", Printable(where.native()), fmt::format("{}×{}", images.rows, images.columns),
       fmt::format("{}×{} at node {}", rows, columns, Printable(node)));
}

}  // namespace weft
