// Through the latent variable and back.
#include "weft/examples/vae/reconstruct.h"

#include <fmt/format.h>

#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/parts.h"
#include "weft/examples/vae/report.h"
#include "weft/examples/vae/sheets.h"

namespace weft {

void ReconstructCommand(const ReconstructOptions& options, Output& output) {
  Application on(options.source);

  const std::filesystem::path picture = options.out / "reconstructions.png";
  MakeDirectory(options.out);
  RequireReplaceable(picture, options.force);
  WriteReconstructions(picture, on.file.model, on.encoder, on.decoder, on.images.images);
  output.Line(WroteText(picture));
}

}  // namespace weft
