// Through the latent variable and back.
#include "weft/examples/vae/reconstruct.h"

#include <fmt/format.h>

#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/machine.h"
#include "weft/examples/vae/report.h"
#include "weft/examples/vae/run_images.h"
#include "weft/examples/vae/sheets.h"

namespace weft {

void ReconstructCommand(const ReconstructOptions& options, Output& output) {
  const Machine machine(options.source.machine);
  const ModelFile file = OpenModel(options.source.from);
  const LabelledImages images = ReadImagesFor(file.model, options.source);
  VariableStore variables;
  LatentEncoder encoder(file.model, variables, {.threads = machine.threads()});
  RestorePart(file, encoder.graph(), "Encoder", variables);
  PictureDecoder decoder(file.model, variables, {.threads = machine.threads()});
  RestorePart(file, decoder.graph(), "Decoder", variables);

  const std::filesystem::path picture = options.out / "reconstructions.png";
  MakeDirectory(options.out);
  RequireReplaceable(picture, options.force);
  WriteReconstructions(picture, file.model, encoder, decoder, images.images);
  output.Line(WroteText(picture));
}

}  // namespace weft
