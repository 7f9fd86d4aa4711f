// The JSON of a checkpoint: the header and the list of checksums are accepted exactly when a strict reference accepts
// them, with the same content.
#include <cstdint>
#include <string>

#include "weft/graph/error.h"
#include "weft/graph/runtime/safetensors_header.h"
#include "weft/tests/fuzz/header_reference.h"
#include "weft/tests/fuzz/oracle.h"

namespace weft {
namespace {

bool IsSame(const SafetensorsEntry& entry, const ReferenceTensor& tensor) {
  std::vector<uint64_t> shape;
  for (const Dim& dim : entry.shape) shape.push_back(static_cast<uint64_t>(dim.length()));
  const std::string_view dtype = entry.dtype == DType::kFloat32   ? "F32"
                                 : entry.dtype == DType::kFloat64 ? "F64"
                                 : entry.dtype == DType::kInt64   ? "I64"
                                                                  : "BOOL";
  return ReferenceTensor{.name = entry.name.str(),
                         .dtype = std::string(dtype),
                         .shape = shape,
                         .range = {entry.begin, entry.end}} == tensor;
}

void CheckHeader(std::string_view text) {
  const auto header = Accepted<CheckpointError>([&] { return ParseHeader(text, "file"); });
  const auto reference = ReadHeaderByTheRules(text);
  Require(header.has_value() == reference.has_value(), "a header is accepted if and only if the rules say so");
  if (!header) return;
  Require(header->metadata == reference->metadata, "the metadata is what the text says");
  Require(header->entries.size() == reference->tensors.size(), "the tensors are those of the text");
  for (size_t i = 0; i < reference->tensors.size(); ++i)
    Require(IsSame(header->entries[i], reference->tensors[i]), "each tensor is what the text says");
  const auto again =
      Accepted<CheckpointError>([&] { return ParseHeader(HeaderText(header->entries, header->metadata), "file"); });
  Require(again && again->metadata == header->metadata && again->entries.size() == header->entries.size(),
          "what is written is read");
}

void CheckStrings(std::string_view text) {
  const auto strings = Accepted<CheckpointError>([&] { return ParseChecksums(std::string(text), "file"); });
  Require(strings == ReadStringsByTheRules(text), "an object of strings is read if and only if it is one");
}

}  // namespace
}  // namespace weft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!text.starts_with('{')) return 0;  // is refused before it is parsed
  weft::CheckHeader(text);
  weft::CheckStrings(text);
  return 0;
}
