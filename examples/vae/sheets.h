// The pictures that are made by a model: grids and lines of the latent space, reconstructions, samples, charts of it.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "weft/examples/vae/latent_axes.h"
#include "weft/examples/vae/model_file.h"
#include "weft/examples/vae/parts.h"
#include "weft/examples/vae/pictures.h"

namespace weft {

// x with P(N(0, 1) ≤ x) = p, for 0 < p < 1.
double NormalQuantile(double p);

// Ranges of grids around the prior and around a posterior, whose quantiles look all alike.
inline constexpr const char* kPriorRange = "quantile";
inline constexpr const char* kPosteriorRange = "4";

// Standard deviations along an axis of a grid, from low to high: "quantile": the middles of `count` parts of equal
// probability; a number X: −X … X in equal steps.
std::vector<double> GridSteps(int64_t count, std::string_view range);

// z of a sheet of pictures, row by row from the top, f32[rows · columns, latent]: along axis 0 to the right and along
// axis 1 upwards, mean + step · deviation; all other axes stay at the mean. A model of one axis has one row.
Tensor LatentGrid(std::span<const double> steps, std::span<const float> mean, std::span<const float> deviation);

// A sheet that has its pixels.
struct DrawnSheet {
  int64_t rows, columns, height, width;
  std::vector<float> pixels;
  Sheet view() const { return {.rows = rows, .columns = columns, .height = height, .width = width, .pixels = pixels}; }
};
// Pictures around N(0, 1), the prior, at these standard deviations.
DrawnSheet PriorSheet(const Model& model, PictureDecoder& decoder, std::span<const double> steps);
// Rows of images, each over the row of their reconstructions at the posterior mean; at most the first 64.
DrawnSheet ReconstructionSheet(const Model& model, LatentEncoder& encoder, PictureDecoder& decoder,
                               const Images& images);

// The pictures at mean + step · deviation.
void WriteLatentSheet(const std::filesystem::path& path, const Model& model, PictureDecoder& decoder,
                      std::span<const double> steps, std::span<const float> mean, std::span<const float> deviation);
// As the two above.
void WritePriorSheet(const std::filesystem::path& path, const Model& model, PictureDecoder& decoder,
                     std::span<const double> steps);
void WriteReconstructions(const std::filesystem::path& path, const Model& model, LatentEncoder& encoder,
                          PictureDecoder& decoder, const Images& images);
// Around the posterior of image number `index`.
void WritePosteriorSheet(const std::filesystem::path& path, const Model& model, LatentEncoder& encoder,
                         PictureDecoder& decoder, const Images& images, int64_t index, std::span<const double> steps);
// Of z drawn from the prior: the same ones for each model of as many axes, so that two models can be compared.
inline constexpr int64_t kSampleSeed = 1;
// 8 rows of 16 pictures at random places of the prior, a function of the seed.
void WriteSamples(const std::filesystem::path& path, const Model& model, PictureDecoder& decoder, int64_t seed);

// z on the straight line from `a` to `b`, f32[count ≥ 2, latent]; the first is `a` and the last is `b`, to the bit.
Tensor LatentLine(std::span<const float> a, std::span<const float> b, int64_t count);
// A row of `count` pictures between the posterior means of two images.
void WriteInterpolation(const std::filesystem::path& path, const Model& model, LatentEncoder& encoder,
                        PictureDecoder& decoder, const Images& images, int64_t a, int64_t b, int64_t count);

// Posterior means of all images in the plane of the axes 0 and 1 (of a model of one axis: mean and log-variance).
void WriteLatentPlane(const std::filesystem::path& path, const Posterior& posterior, std::span<const uint8_t> labels);
// A bar an axis, its divergence.
void WriteLatentAxes(const std::filesystem::path& path, const std::vector<LatentAxis>& axes);

}  // namespace weft
