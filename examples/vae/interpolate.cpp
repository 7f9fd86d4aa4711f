// From posterior mean to posterior mean, decoded on the way.
#include "weft/examples/vae/interpolate.h"

#include <fmt/format.h>

#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/machine.h"
#include "weft/examples/vae/printable.h"
#include "weft/examples/vae/report.h"
#include "weft/examples/vae/run_images.h"
#include "weft/examples/vae/sheets.h"

namespace weft {

void InterpolateCommand(const InterpolateOptions& options, Output& output) {
  if (options.out.extension() != ".png") {
    throw UsageError(
        fmt::format("value: --out: got '{}', expected a file name that ends in .png", Printable(options.out.native())));
  }
  const Machine machine(options.source.machine);
  const ModelFile file = OpenModel(options.source.from);
  const LabelledImages images = ReadImagesFor(file.model, options.source);
  RequireImage("--a", options.a, images, options.source);
  RequireImage("--b", options.b, images, options.source);
  VariableStore variables;
  LatentEncoder encoder(file.model, variables, {.threads = machine.threads()});
  RestorePart(file, encoder.graph(), "Encoder", variables);
  PictureDecoder decoder(file.model, variables, {.threads = machine.threads()});
  RestorePart(file, decoder.graph(), "Decoder", variables);

  RequireReplaceable(options.out, options.force);
  WriteInterpolation(options.out, file.model, encoder, decoder, images.images, options.a, options.b, options.steps);
  output.Line(WroteText(options.out));
}

}  // namespace weft
