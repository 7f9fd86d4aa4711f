// A row an image: the means of all axes, then their log-variances; in .csv the label behind them. In .npz each by name.
#include "weft/examples/vae/encode.h"

#include <vector>

#include <fmt/format.h>

#include "weft/exporters/npy.h"
#include "weft/exporters/npz.h"
#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/machine.h"
#include "weft/examples/vae/parts.h"
#include "weft/examples/vae/printable.h"
#include "weft/examples/vae/report.h"
#include "weft/examples/vae/run_images.h"

namespace weft {
namespace {

// f32[n, 2 · latent]
std::vector<float> Table(const Posterior& posterior, size_t latent) {
  const std::span<const float> mean = posterior.mean.values<float>(),
                               log_variance = posterior.log_variance.values<float>();
  std::vector<float> table;
  table.reserve(2 * mean.size());
  for (size_t at = 0; at < mean.size(); at += latent) {
    for (const auto& values : {mean, log_variance})
      table.insert(table.end(), values.begin() + static_cast<std::ptrdiff_t>(at),
                   values.begin() + static_cast<std::ptrdiff_t>(at + latent));
  }
  return table;
}

// Numbers in the fewest digits that give the same bits again.
std::string CsvText(std::span<const float> table, size_t latent, std::span<const uint8_t> labels) {
  std::string text;
  for (const char* name : {"mean", "log_variance"}) {
    for (size_t axis = 0; axis < latent; ++axis) text += fmt::format("{}_{},", name, axis);
  }
  text += "label\n";
  for (size_t row = 0; row < labels.size(); ++row) {
    for (float value : table.subspan(row * 2 * latent, 2 * latent))
      fmt::format_to(std::back_inserter(text), "{},", value);
    fmt::format_to(std::back_inserter(text), "{}\n", labels[row]);
  }
  return text;
}

std::string TextOf(const std::filesystem::path& extension, const Posterior& posterior,
                   std::span<const uint8_t> labels) {
  if (extension == ".npz") {
    const std::vector<int64_t> wide(labels.begin(), labels.end());
    const auto count = static_cast<int64_t>(wide.size());
    return ToNpz({{"mean", posterior.mean},
                  {"log_variance", posterior.log_variance},
                  {"label", Tensor::Of<int64_t>({count}, wide)}});
  }
  const auto latent = static_cast<size_t>(posterior.mean.shape()[1].length());
  const std::vector<float> table = Table(posterior, latent);
  if (extension == ".csv") return CsvText(table, latent, labels);
  return NpyText(Tensor::Of<float>({posterior.mean.shape()[0], static_cast<int64_t>(2 * latent)}, table));
}

}  // namespace

void EncodeCommand(const EncodeOptions& options, Output& output) {
  const std::filesystem::path extension = options.out.extension();
  if (extension != ".csv" && extension != ".npy" && extension != ".npz") {
    throw UsageError(fmt::format("value: --out: got '{}', expected a file name that ends in .csv, .npy or .npz",
                                 Printable(options.out.native())));
  }
  const Machine machine(options.source.machine);
  const ModelFile file = OpenModel(options.source.from);
  const LabelledImages images = ReadImagesFor(file.model, options.source);
  VariableStore variables;
  LatentEncoder encoder(file.model, variables, {.threads = machine.threads()});
  RestorePart(file, encoder.graph(), "Encoder", variables);
  RequireReplaceable(options.out, options.force);

  WriteWhole(options.out, TextOf(extension, encoder.Of(images.images), images.labels));
  output.Line(WroteText(options.out));
}

}  // namespace weft
