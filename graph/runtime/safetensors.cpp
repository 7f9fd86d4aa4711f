// Files of tensors: the layout of the data, its checksums, and writing.
#include "weft/graph/runtime/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "weft/graph/error.h"
#include "weft/graph/runtime/crc32c.h"
#include "weft/graph/runtime/foreign_format.h"
#include "weft/graph/runtime/safetensors_header.h"

namespace weft {
namespace {

static_assert(std::endian::native == std::endian::little, "the bytes of tensors are stored as they are");

constexpr uint64_t kLengthBytes = 8;

std::string TensorName(const SafetensorsEntry& entry) {
  return fmt::format("tensor '{}'", Escaped(entry.name.str(), 80));
}

auto Position(const SafetensorsEntry& entry) { return std::tuple(entry.begin, entry.end, entry.name.str()); }

// The first bytes decide what the file is: refuses everything that cannot be a header. Returns its length.
uint64_t ReadHeaderLength(const InputFile& file, uint64_t limit) {
  std::array<char, 64> start{};
  const std::string_view first(start.data(), std::min<uint64_t>(start.size(), file.size()));
  file.Read(0, std::as_writable_bytes(std::span(start).first(first.size())));
  uint64_t length = 0;
  std::memcpy(&length, start.data(), sizeof(length));
  const uint64_t most = std::min(limit, file.size() - std::min(file.size(), kLengthBytes));
  if (first.size() > kLengthBytes && length > 1 && length <= most && first[kLengthBytes] == '{') return length;
  if (const std::string_view format = ForeignFormat(first); !format.empty()) {
    Refuse("file", file.name(), fmt::format("this is {}, not a safetensors file", format));
  }
  if (first.size() < kLengthBytes) {
    Refuse("header length", file.name(), fmt::format("got {} bytes, expected 8: it is missing", first.size()));
  }
  if (length < 2 || length > most) {
    Refuse("header length", file.name(),
           fmt::format("got {}, expected 2 … {} ({} bytes of file, {} at most)", length, most, file.size(), limit));
  }
  Refuse("header", file.name(), fmt::format("got '{}' first, expected '{{'", Escaped(first.substr(kLengthBytes, 1))));
}

std::string ReadHeaderText(const InputFile& file, uint64_t length) {
  std::string text(length, '\0');
  file.Read(kLengthBytes, std::as_writable_bytes(std::span(text)));
  const size_t last = text.find_last_not_of(' ');  // '{' is before it
  if (text[last] != '}') {
    Refuse("header", file.name(),
           fmt::format("got '{}' last, expected '}}' and nothing but spaces behind", Escaped(text.substr(last, 1))));
  }
  text.resize(last + 1);
  return text;
}

void CheckSize(const SafetensorsEntry& entry, uint64_t data_bytes, const InputFile& file) {
  if (entry.begin > entry.end || entry.end > data_bytes) {
    Refuse(
        fmt::format("data_offsets of {}", TensorName(entry)), file.name(),
        fmt::format("got [{}, {}], expected a range within the {} bytes of data", entry.begin, entry.end, data_bytes));
  }
  uint64_t expected = 0;
  try {
    expected = static_cast<uint64_t>(ByteSize(entry.dtype, entry.shape));
  } catch (const Error& error) {
    Refuse(fmt::format("shape of {}", TensorName(entry)), file.name(), fmt::format("overflow: {}", error.what()));
  }
  if (entry.end - entry.begin != expected) {
    Refuse(TensorName(entry), file.name(),
           fmt::format("got {} bytes, expected {} for {}", entry.end - entry.begin, expected,
                       ToString(TensorType{.dtype = entry.dtype, .shape = entry.shape})));
  }
}

// The tensors cover the data exactly. An empty one may lie between two others, not within one.
void CheckLayout(std::span<const SafetensorsEntry> entries, uint64_t data_bytes, const InputFile& file) {
  uint64_t position = 0;
  const SafetensorsEntry* previous = nullptr;
  for (const SafetensorsEntry& entry : entries) {
    CheckSize(entry, data_bytes, file);
    if (entry.begin != position) {
      Refuse(fmt::format("data_offsets of {}", TensorName(entry)), file.name(),
             fmt::format("got [{}, {}], expected it to begin at {}: {}", entry.begin, entry.end, position,
                         entry.begin > position ? "there is a hole" : "it overlaps " + TensorName(*previous)));
    }
    position = entry.end;
    previous = &entry;
  }
  if (position != data_bytes) {
    Refuse("data", file.name(),
           fmt::format("got {} bytes behind the last tensor, expected none", data_bytes - position));
  }
}

// Of all that a tensor is but its name and place.
std::string Checksum(std::span<const std::byte> bytes, DType dtype, const Shape& shape) {
  return Crc32cText(fmt::format("{} {}", Crc32cText(bytes), ToString(TensorType{.dtype = dtype, .shape = shape})));
}

// Takes the checksums out of the metadata, if there are any, and checks that of the metadata.
void TakeChecksums(HeaderContent& content, SafetensorsHeader& header, const InputFile& file) {
  const auto checksums = content.metadata.find(std::string(kChecksumsKey));
  const auto own = content.metadata.find(std::string(kMetadataChecksumKey));
  if (checksums == content.metadata.end() && own == content.metadata.end()) return;
  if (checksums == content.metadata.end() || own == content.metadata.end()) {
    Refuse("checksums", file.name(), fmt::format("got only one of {} and {}", kChecksumsKey, kMetadataChecksumKey));
  }
  header.fingerprint = own->second;
  content.metadata.erase(own);
  const std::string computed = Crc32cText(ObjectText(content.metadata));
  if (computed != header.fingerprint) {
    Refuse("metadata checksum", file.name(),
           fmt::format("got {}, expected {}: the metadata was changed or damaged", computed,
                       Escaped(header.fingerprint, 16)));
  }
  header.checksums = ParseChecksums(checksums->second, file.name());
  content.metadata.erase(checksums);
}

void CheckMetadata(const std::map<std::string, std::string>& metadata) {
  size_t bytes = 0;
  for (const auto& [key, value] : metadata) {
    if (key == kChecksumsKey || key == kMetadataChecksumKey) {
      throw GraphError(fmt::format("metadata '{}': the key is reserved", key));
    }
    bytes += key.size() + value.size();
  }
  if (bytes > SafetensorsLimits::kMetadataBytes) {
    throw ResourceError(
        fmt::format("metadata: got {} bytes, expected at most {}", bytes, SafetensorsLimits::kMetadataBytes));
  }
}

void CheckNames(std::span<const SafetensorsItem> items) {
  if (items.size() > SafetensorsLimits::kTensors) {
    throw ResourceError(
        fmt::format("checkpoint: got {} tensors, expected at most {}", items.size(), SafetensorsLimits::kTensors));
  }
  std::set<Path> names;
  for (const SafetensorsItem& item : items) {
    const std::string_view reason = item.name.is_root()               ? "is empty"
                                    : item.name.str() == kMetadataKey ? "is reserved"
                                                                      : "is given twice";
    if (item.name.is_root() || item.name.str() == kMetadataKey || !names.insert(item.name).second) {
      throw GraphError(fmt::format("tensor name '{}': {}", Escaped(item.name.str(), 80), reason));
    }
  }
}

// Holes are not allowed, so alignment comes from the order: whole multiples of 64 bytes first, which are then all
// aligned to 64; behind them the rest by falling element size, each aligned to its elements.
std::vector<SafetensorsItem> InOrder(std::span<const SafetensorsItem> items) {
  std::vector<SafetensorsItem> ordered(items.begin(), items.end());
  std::ranges::sort(ordered, {}, [](const SafetensorsItem& item) {
    return std::tuple(ByteSize(item.type.dtype, item.type.shape) % kAlignment != 0,
                      -static_cast<int>(SizeOf(item.type.dtype)), item.name.str());
  });
  return ordered;
}

// The length and the header, padded with spaces so that the data behind it begins at a multiple of 64.
std::string Preamble(const std::string& header, uint64_t limit) {
  const uint64_t end = (kLengthBytes + header.size() + kAlignment - 1) / kAlignment * kAlignment;
  const uint64_t length = end - kLengthBytes;
  if (length > limit) {
    throw ResourceError(fmt::format("checkpoint: got a header of {} bytes, expected at most {}", length, limit));
  }
  std::string preamble(kLengthBytes, '\0');
  std::memcpy(preamble.data(), &length, sizeof(length));
  preamble += header;
  preamble.resize(end, ' ');
  return preamble;
}

}  // namespace

SafetensorsHeader ReadSafetensorsHeader(const InputFile& file, uint64_t max_header_bytes) {
  const uint64_t length = ReadHeaderLength(file, std::min(max_header_bytes, SafetensorsLimits::kHeaderBytes));
  HeaderContent content = ParseHeader(ReadHeaderText(file, length), file.name());
  const uint64_t data_begin = kLengthBytes + length;
  std::ranges::sort(content.entries, {}, Position);
  CheckLayout(content.entries, file.size() - data_begin, file);
  SafetensorsHeader header;
  TakeChecksums(content, header, file);
  header.entries = std::move(content.entries);
  header.metadata = std::move(content.metadata);
  for (SafetensorsEntry& entry : header.entries) {
    entry.begin += data_begin;
    entry.end += data_begin;
  }
  return header;
}

Tensor ReadSafetensorsTensor(const InputFile& file, const SafetensorsHeader& header, const SafetensorsEntry& entry) {
  Tensor tensor(entry.dtype, entry.shape);
  file.Read(entry.begin, tensor.bytes());
  if (const auto expected = header.checksums.find(entry.name.str()); expected != header.checksums.end()) {
    const std::string computed = Checksum(tensor.bytes(), entry.dtype, entry.shape);
    if (computed != expected->second) {
      Refuse(
          fmt::format("checksum of {}", TensorName(entry)), file.name(),
          fmt::format("got {}, expected {}: the data was changed or damaged", computed, Escaped(expected->second, 16)));
    }
  }
  if (entry.dtype == DType::kBool) {
    const auto bytes = std::as_const(tensor).bytes();
    const auto bad = std::ranges::find_if(bytes, [](std::byte b) { return b > std::byte{1}; });
    if (bad != bytes.end()) {
      Refuse(TensorName(entry), file.name(),
             fmt::format("got {} at index {}, expected a bool as 0 or 1", std::to_integer<int>(*bad),
                         bad - bytes.begin()));
    }
  }
  return tensor;
}

void WriteSafetensors(const FileSystem& system, const std::filesystem::path& file,
                      std::span<const SafetensorsItem> items, const std::map<std::string, std::string>& metadata,
                      uint64_t max_header_bytes) {
  CheckMetadata(metadata);
  CheckNames(items);
  const std::vector<SafetensorsItem> ordered = InOrder(items);
  std::vector<SafetensorsEntry> entries;
  std::vector<FilePiece> pieces(1);  // the preamble comes first
  std::map<std::string, std::string> checksums;
  uint64_t position = 0;
  for (const SafetensorsItem& item : ordered) {
    const auto& [dtype, shape, unused] = item.type;
    const auto size = static_cast<uint64_t>(ByteSize(dtype, shape));
    entries.push_back({.name = item.name, .dtype = dtype, .shape = shape, .begin = position, .end = position + size});
    pieces.push_back({.size = size, .bytes = item.bytes});
    checksums.emplace(item.name.str(), Checksum(item.bytes(), dtype, shape));
    position += size;
  }
  std::ranges::sort(entries, {}, Position);  // empty ones at one place: as a reader sees them
  std::map<std::string, std::string> complete = metadata;
  complete.emplace(kChecksumsKey, ObjectText(checksums));
  complete.emplace(kMetadataChecksumKey, Crc32cText(ObjectText(complete)));
  const std::string preamble =
      Preamble(HeaderText(entries, complete), std::min(max_header_bytes, SafetensorsLimits::kHeaderBytes));
  pieces[0] = {.size = preamble.size(), .bytes = [&preamble] { return std::as_bytes(std::span(preamble)); }};
  WriteDurably(system, file, std::span<const FilePiece>(pieces));
}

}  // namespace weft
