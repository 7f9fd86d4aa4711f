// One after the other.
#include "weft/examples/vae/run_pictures.h"

#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/sheets.h"

namespace weft {

std::vector<std::filesystem::path> DrawRun(const std::filesystem::path& directory, const Model& model,
                                           VariableStore& variables, int threads, const LabelledImages& test,
                                           const std::vector<EpochFigures>& history,
                                           const std::function<void()>& before_each) {
  constexpr int64_t kGrid = 15;
  LatentEncoder encoder(model, variables, {.threads = threads});
  PictureDecoder decoder(model, variables, {.threads = threads});
  std::vector<std::filesystem::path> files;
  const auto next = [&](const char* name) {
    before_each();
    return files.emplace_back(directory / name);
  };
  WritePriorSheet(next("vae_z.png"), model, decoder, GridSteps(kGrid, kPriorRange));
  WritePosteriorSheet(next("vae_std.png"), model, encoder, decoder, test.images, 0, GridSteps(kGrid, kPosteriorRange));
  WriteSamples(next("samples.png"), model, decoder, kSampleSeed);
  WriteReconstructions(next("reconstructions.png"), model, encoder, decoder, test.images);
  const Posterior posterior = encoder.Of(test.images);
  WriteLatentPlane(next("latent.png"), posterior, test.labels);
  WriteLatentAxes(next("latents.png"), LatentAxesOf(posterior));
  if (!history.empty()) {
    WriteHistory(next("curves.png"), history);
    WriteWhole(next("history.csv"), HistoryCsv(history));
  }
  return files;
}

}  // namespace weft
