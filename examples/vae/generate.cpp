// The decoder alone; the encoder only to find the place of an image.
#include "weft/examples/vae/generate.h"

#include <fmt/format.h>

#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/machine.h"
#include "weft/examples/vae/report.h"
#include "weft/examples/vae/run_images.h"
#include "weft/examples/vae/sheets.h"

namespace weft {
namespace {

LabelledImages ReadImageAround(const Model& model, const GenerateOptions& options) {
  LabelledImages images = ReadImagesFor(model, options.source);
  if (*options.around >= images.images.count) {
    throw UsageError(fmt::format("value: --around: got {}, expected a whole number from 0 to {}, an image of {}",
                                 *options.around, images.images.count - 1, options.source.split));
  }
  return images;
}

}  // namespace

void GenerateCommand(const GenerateOptions& options, Output& output) {
  const Machine machine(options.source.machine);
  const ModelFile file = OpenModel(options.source.from);
  LabelledImages images;
  if (options.around) images = ReadImageAround(file.model, options);
  const std::filesystem::path prior = options.out / "vae_z.png", posterior = options.out / "vae_std.png";

  VariableStore variables;
  PictureDecoder decoder(file.model.config, variables, {.threads = machine.threads()});
  RestorePart(file, decoder.graph(), "Decoder", variables);
  std::optional<LatentEncoder> encoder;
  if (options.around) {
    encoder.emplace(file.model.config, variables, SessionOptions{.threads = machine.threads()});
    RestorePart(file, encoder->graph(), "Encoder", variables);
  }

  MakeDirectory(options.out);
  RequireReplaceable(prior, options.force);
  if (encoder) RequireReplaceable(posterior, options.force);
  WritePriorSheet(prior, file.model, decoder,
                  GridSteps(options.grid, options.range.empty() ? kPriorRange : options.range));
  output.Line(WroteText(prior));
  if (!encoder) return;
  WritePosteriorSheet(posterior, file.model, *encoder, decoder, images.images, *options.around,
                      GridSteps(options.grid, options.range.empty() ? kPosteriorRange : options.range));
  output.Line(WroteText(posterior));
}

}  // namespace weft
