// The reader of checkpoints: what it accepts can be restored and saved, comes back the same, and is then written the
// same for ever.
//
// An input that begins with '{' is a header up to its first line break and data behind it, and gets its length in
// front; any other input is a file as it stands.
#include <cstdint>
#include <cstring>
#include <string>

#include "weft/graph/error.h"
#include "weft/graph/runtime/checkpoint.h"
#include "weft/tests/fuzz/memory_file.h"
#include "weft/tests/fuzz/oracle.h"
#include "weft/tests/support/safetensors_bytes.h"

namespace weft {
namespace {

std::string FileOf(std::string_view input) {
  if (!input.starts_with('{')) return std::string(input);
  const std::string_view header = input.substr(0, input.find('\n'));
  return SafetensorsBytes(header, input.substr(std::min(header.size() + 1, input.size())));
}

void RestoreAll(const MemoryFile& file, const CheckpointSummary& summary, VariableStore& variables) {
  for (const CheckpointSummary::Variable& variable : summary.variables)
    variables.Declare(variable.path, variable.dtype, variable.shape);
  const RestoreReport report = Restore(file.path(), {.allow_nonfinite = true}, variables);
  Require(report.restored.size() == summary.variables.size() && report.missing.empty() && report.unexpected.empty(),
          "a checkpoint is restored as a whole");
}

std::string Saved(const VariableStore& variables, Metadata metadata) {
  metadata.erase("weft_format");  // Save's own
  WrittenBytes written;
  Save(variables, "file", {.metadata = metadata, .allow_nonfinite = true, .file_system = &written.system()});
  return written.bytes();
}

void Check(std::string_view input) {
  static MemoryFile file, again;
  file.Hold(FileOf(input));
  const auto summary = Accepted<CheckpointError>([&] { return Verify(file.path()); });
  if (!summary || summary->variables.empty()) return;

  VariableStore first, second;
  RestoreAll(file, *summary, first);
  const std::string bytes = Saved(first, summary->metadata);
  again.Hold(bytes);
  const auto same = Accepted<CheckpointError>([&] { return Verify(again.path()); });
  Require(same.has_value(), "what is written is accepted");
  RestoreAll(again, *same, second);
  Require(first.Paths() == second.Paths(), "the same variables come back");
  for (const Path& path : first.Paths()) Require(first.Get(path) == second.Get(path), "the same values come back");
  Require(Saved(second, same->metadata) == bytes, "there is one form of a checkpoint");
}

}  // namespace
}  // namespace weft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  weft::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
