// Names are from outside: escaped, never obeyed.
#include "weft/examples/vae/info.h"

#include <algorithm>

#include <fmt/format.h>

#include "weft/examples/vae/existing.h"
#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/printable.h"
#include "weft/graph/error.h"
#include "weft/graph/runtime/checkpoint.h"
#include "weft/models/training/checkpoint_directory.h"

namespace weft {
namespace {

void PrintFile(const std::filesystem::path& file, Output& output) {
  const CheckpointSummary summary = Verify(file);
  int64_t numbers = 0;
  for (const CheckpointSummary::Variable& variable : summary.variables) numbers += ElementCount(variable.shape);
  output.Line(fmt::format("file         {}", Printable(file.native())));
  output.Line(fmt::format("bytes        {}", summary.file_bytes));
  output.Line(fmt::format("checksums    {}", summary.fingerprint.empty()
                                                 ? "none: nothing could be verified"
                                                 : "right, of the metadata " + summary.fingerprint));
  output.Line(fmt::format("variables    {} with {} numbers", summary.variables.size(), numbers));
  for (const auto& [key, value] : summary.metadata)
    output.Line(fmt::format("metadata     {} = {}", Printable(key), Printable(value)));
  for (const CheckpointSummary::Variable& variable : summary.variables) {
    output.Line(fmt::format("variable     {} {}", Printable(variable.path.str()),
                            ToString(TensorType{.dtype = variable.dtype, .shape = variable.shape})));
  }
}

void PrintDirectory(const std::filesystem::path& directory, Output& output) {
  const LatestGeneration latest = LatestValid(directory);
  const std::vector<Generation> generations = ListGenerations(directory);
  if (generations.empty()) {
    throw CheckpointError(
        fmt::format("checkpoint: {}: got no model-STEP.safetensors, expected at least one, as 'vae train' writes them",
                    Printable(directory.native())));
  }
  for (const Generation& generation : generations) {
    const bool is_latest = latest.generation && latest.generation->step == generation.step;
    output.Line(fmt::format("checkpoint   step {} epoch {}{}{}", generation.step, generation.epoch,
                            generation.loss ? fmt::format(" validation loss {:.3f}", *generation.loss) : "",
                            is_latest ? ", the newest that is whole" : ""));
  }
  for (const std::string& reason : latest.skipped) output.Line(fmt::format("damaged      {}", OneLine(reason)));
  if (latest.generation) PrintFile(latest.generation->weights, output);
}

}  // namespace

void InfoCommand(const InfoOptions& options, Output& output) {
  RequireExists(options.file);
  if (std::filesystem::is_directory(options.file)) PrintDirectory(options.file, output);
  else PrintFile(options.file, output);
}

}  // namespace weft
