// The decoder alone; the encoder only to find the place of an image.
#include "weft/examples/vae/generate.h"

#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/machine.h"
#include "weft/examples/vae/report.h"
#include "weft/examples/vae/run_images.h"
#include "weft/examples/vae/sheets.h"

namespace weft {

void GenerateCommand(const GenerateOptions& options, Output& output) {
  const Machine machine(options.source.machine);
  const ModelFile file = OpenModel(options.source.from);
  LabelledImages images;
  if (options.around) {
    images = ReadImagesFor(file.model, options.source);
    RequireImage("--around", *options.around, images, options.source);
  }
  const std::filesystem::path prior = options.out / "vae_z.png", samples = options.out / "samples.png",
                              posterior = options.out / "vae_std.png";

  VariableStore variables;
  PictureDecoder decoder(file.model, variables, {.threads = machine.threads()});
  RestorePart(file, decoder.graph(), "Decoder", variables);
  std::optional<LatentEncoder> encoder;
  if (options.around) {
    encoder.emplace(file.model, variables, SessionOptions{.threads = machine.threads()});
    RestorePart(file, encoder->graph(), "Encoder", variables);
  }

  MakeDirectory(options.out);
  for (const auto& picture : {prior, samples}) RequireReplaceable(picture, options.force);
  if (encoder) RequireReplaceable(posterior, options.force);
  WritePriorSheet(prior, file.model, decoder,
                  GridSteps(options.grid, options.range.empty() ? kPriorRange : options.range));
  output.Line(WroteText(prior));
  WriteSamples(samples, file.model, decoder, options.seed);
  output.Line(WroteText(samples));
  if (!encoder) return;
  WritePosteriorSheet(posterior, file.model, *encoder, decoder, images.images, *options.around,
                      GridSteps(options.grid, options.range.empty() ? kPosteriorRange : options.range));
  output.Line(WroteText(posterior));
}

}  // namespace weft
