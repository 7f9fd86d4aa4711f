// The JSON header of a safetensors file: text ↔ entries and metadata.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weft/graph/runtime/safetensors.h"

namespace weft {

inline constexpr std::string_view kMetadataKey = "__metadata__";
inline constexpr std::string_view kChecksumsKey = "crc32c";                  // JSON text: name → CRC-32C of a tensor
inline constexpr std::string_view kMetadataChecksumKey = "crc32c_metadata";  // of the metadata without this very key

// What a header says; begin and end count from the start of the data.
struct HeaderContent {
  std::vector<SafetensorsEntry> entries = {};
  std::map<std::string, std::string> metadata = {};
};

// Accepts exactly the grammar of the format, which nests three levels deep: no recursion, and memory only for what the
// limits allow. `file` is for messages. Throws CheckpointError. Ranges are not yet compared with shapes or each other.
HeaderContent ParseHeader(std::string_view text, const std::string& file);

// The same content as text, always the same for the same content. Throws GraphError for text that is not UTF-8.
std::string HeaderText(std::span<const SafetensorsEntry> entries, const std::map<std::string, std::string>& metadata);

// An object of strings as JSON text, always the same for the same content, and back; parsing throws CheckpointError.
std::string ObjectText(const std::map<std::string, std::string>& strings);
std::map<std::string, std::string> ParseChecksums(std::string_view text, const std::string& file);

// "WHAT: FILE: REASON" as a CheckpointError.
[[noreturn]] void Refuse(std::string_view what, const std::string& file, std::string_view reason);

}  // namespace weft
