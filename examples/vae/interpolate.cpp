// From posterior mean to posterior mean, decoded on the way.
#include "weft/examples/vae/interpolate.h"

#include <fmt/format.h>

#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/parts.h"
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
  Application on(options.source);
  RequireImage("--a", options.a, on.images, options.source);
  RequireImage("--b", options.b, on.images, options.source);

  RequireReplaceable(options.out, options.force);
  WriteInterpolation(options.out, on.file.model, on.encoder, on.decoder, on.images.images, options.a, options.b,
                     options.steps);
  output.Line(WroteText(options.out));
}

}  // namespace weft
