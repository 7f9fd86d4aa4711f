// A second reader of the JSON header of a safetensors file, from the rules of the format alone: one letter after the
// other, no library, nothing shared with the reader that is tested but the limits.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

struct ReferenceTensor {
  std::string name, dtype;
  std::vector<uint64_t> shape, range;
  bool operator==(const ReferenceTensor&) const = default;
};

struct ReferenceHeader {
  std::vector<ReferenceTensor> tensors;  // in the order of the text
  std::map<std::string, std::string> metadata;
};

// Nothing for a text that breaks a rule.
std::optional<ReferenceHeader> ReadHeaderByTheRules(std::string_view text);

// An object of strings without a key that occurs twice.
std::optional<std::map<std::string, std::string>> ReadStringsByTheRules(std::string_view text);

}  // namespace weft
