// What the encoder says of some images is computed here, once; the decoder is in the page and answers there.
#include "weft/examples/vae/explore.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "weft/exporters/base64.h"
#include "weft/exporters/javascript.h"
#include "weft/examples/vae/chart.h"
#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/page.h"
#include "weft/examples/vae/parts.h"
#include "weft/examples/vae/printable.h"
#include "weft/examples/vae/report.h"
#include "weft/examples/vae/sheets.h"
#include "weft/graph/error.h"

namespace weft {
namespace {

template <class T>
std::string Packed(std::span<const T> values) {
  return Base64(std::as_bytes(values));
}

std::vector<std::string> PaletteTexts() {
  std::vector<std::string> texts;
  for (const Colour& colour : kPalette)
    texts.push_back(fmt::format("#{:02x}{:02x}{:02x}", colour.red, colour.green, colour.blue));
  return texts;
}

// f32 numbers of each image: standard deviations [latent], and the divergence.
Json PosteriorJson(const Posterior& posterior, size_t latent) {
  const std::span<const float> mean = posterior.mean.values<float>(),
                               log_variance = posterior.log_variance.values<float>();
  std::vector<float> deviations, divergences;
  for (size_t at = 0; at < mean.size(); at += latent) {
    double divergence = 0;
    for (size_t i = at; i < at + latent; ++i) {
      deviations.push_back(std::exp(log_variance[i] / 2));
      divergence += DivergenceOf(mean[i], log_variance[i]);
    }
    divergences.push_back(static_cast<float>(divergence));
  }
  return {
      {"means", Packed(mean)}, {"deviations", Packed<float>(deviations)}, {"divergences", Packed<float>(divergences)}};
}

// JSON has no infinity.
void RequireFinite(const std::vector<LatentAxis>& axes) {
  for (size_t i = 0; i < axes.size(); ++i) {
    if (std::isfinite(axes[i].divergence) && std::isfinite(axes[i].variance)) continue;
    throw NumericError(fmt::format("latent axis {}: got a divergence of {} and a variance of {}, expected finite ones",
                                   i, axes[i].divergence, axes[i].variance));
  }
}

// Figures of the axes are those of all images; the page holds the first `count` of them. Numbers are f32, pixels and
// labels u8, each array in base64.
Json PageJson(Application& on, const ExploreOptions& options) {
  const Model& model = on.file.model;
  const LabelledImages& images = on.images;
  const int64_t count = std::min(options.images, images.images.count);
  const auto first = static_cast<size_t>(count), pixels = static_cast<size_t>(model.config.pixels);
  const Posterior all = on.encoder.Of(images.images);
  const std::vector<LatentAxis> axes = LatentAxesOf(all);
  RequireFinite(axes);
  constexpr int64_t kGrid = 15;  // of vae_z.png
  Json json = {{"checkpoint", on.file.path.filename().string()},
               {"split", options.source.split},
               {"total", images.images.count},
               {"count", count},
               {"rows", model.rows},
               {"columns", model.columns},
               {"latent", model.config.latent_units},
               {"input", on.decoder.z().name().str()},
               {"output", on.decoder.picture().name().str()},
               {"palette", PaletteTexts()},
               {"quantiles", GridSteps(kGrid, kPriorRange)},
               {"axes", LatentAxesJson(axes)},
               {"labels", Packed(std::span(images.labels).first(first))},
               {"pixels", Packed(std::span(images.images.pixels).first(first * pixels))}};
  json.update(PosteriorJson({.mean = all.mean.Rows(0, count), .log_variance = all.log_variance.Rows(0, count)},
                            static_cast<size_t>(model.config.latent_units)));
  return json;
}

}  // namespace

void ExploreCommand(const ExploreOptions& options, Output& output) {
  if (options.out.extension() != ".html") {
    throw UsageError(fmt::format("value: --out: got '{}', expected a file name that ends in .html",
                                 Printable(options.out.native())));
  }
  Application on(options.source);

  RequireReplaceable(options.out, options.force);
  const InferencePart part = InferencePartOf(on.decoder.graph(), {on.decoder.z()}, {on.decoder.picture()});
  const std::string script = ToJavaScript(part, on.variables, "decode");
  const std::string json = LineOf(PageJson(on, options));
  WriteWhole(options.out, Page("explore.html", {{"decoder.js", script}, {"data.json", json}}));
  output.Line(WroteText(options.out));
}

}  // namespace weft
