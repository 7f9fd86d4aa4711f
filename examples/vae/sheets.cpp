// Latent variables to pictures.
#include "weft/examples/vae/sheets.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "weft/examples/vae/arguments.h"
#include "weft/examples/vae/pictures.h"
#include "weft/models/training/evaluation.h"

namespace weft {

double NormalQuantile(double p) {
  // Bisection for the x ≥ 0 with Φ(−x) = ½·erfc(x/√2) equal to the smaller tail; 60 halvings of 38, beyond which that
  // is 0 in double, reach the last bit.
  const double tail = std::min(p, 1 - p);
  double low = 0, high = 38;
  for (int halving = 0; halving < 60; ++halving) {
    const double middle = (low + high) / 2;
    (std::erfc(middle / std::sqrt(2.0)) / 2 > tail ? low : high) = middle;
  }
  return p < 0.5 ? -low : low;
}

std::vector<double> GridSteps(int64_t count, std::string_view range) {
  const bool quantile = range == kPriorRange;
  const double reach = quantile ? 0 : ParseReal("--range", range, {.low = 0, .high = 1e6, .above_low = true});
  std::vector<double> steps;
  for (int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<double>(i), of = static_cast<double>(count);
    steps.push_back(quantile ? NormalQuantile((at + 0.5) / of) : reach * (2 * at / (of - 1) - 1));
  }
  return steps;
}

Tensor LatentGrid(std::span<const double> steps, std::span<const float> mean, std::span<const float> deviation) {
  const size_t latent = mean.size(), columns = steps.size(), rows = latent > 1 ? steps.size() : 1;
  Tensor grid(DType::kFloat32, {static_cast<int64_t>(rows * columns), static_cast<int64_t>(latent)});
  const std::span<float> z = grid.values<float>();
  const auto at = [&](size_t axis, double step) {
    return static_cast<float>(static_cast<double>(mean[axis]) + step * static_cast<double>(deviation[axis]));
  };
  for (size_t row = 0; row < rows; ++row) {
    for (size_t column = 0; column < columns; ++column) {
      const std::span<float> picture = z.subspan((row * columns + column) * latent, latent);
      std::ranges::copy(mean, picture.begin());
      picture[0] = at(0, steps[column]);
      if (latent > 1) picture[1] = at(1, steps[rows - 1 - row]);
    }
  }
  return grid;
}

namespace {

DrawnSheet LatentSheet(const Model& model, PictureDecoder& decoder, std::span<const double> steps,
                       std::span<const float> mean, std::span<const float> deviation) {
  const Tensor pictures = decoder.Pictures(LatentGrid(steps, mean, deviation));
  const auto count = static_cast<int64_t>(steps.size());
  const std::span<const float> pixels = pictures.values<float>();
  return {.rows = mean.size() > 1 ? count : 1,
          .columns = count,
          .height = model.rows,
          .width = model.columns,
          .pixels = {pixels.begin(), pixels.end()}};
}

}  // namespace

DrawnSheet PriorSheet(const Model& model, PictureDecoder& decoder, std::span<const double> steps) {
  const auto latent = static_cast<size_t>(model.config.latent_units);
  return LatentSheet(model, decoder, steps, std::vector<float>(latent, 0), std::vector<float>(latent, 1));
}

void WriteLatentSheet(const std::filesystem::path& path, const Model& model, PictureDecoder& decoder,
                      std::span<const double> steps, std::span<const float> mean, std::span<const float> deviation) {
  WriteSheet(path, LatentSheet(model, decoder, steps, mean, deviation).view());
}

void WritePriorSheet(const std::filesystem::path& path, const Model& model, PictureDecoder& decoder,
                     std::span<const double> steps) {
  WriteSheet(path, PriorSheet(model, decoder, steps).view());
}

void WritePosteriorSheet(const std::filesystem::path& path, const Model& model, LatentEncoder& encoder,
                         PictureDecoder& decoder, const Images& images, int64_t index, std::span<const double> steps) {
  const Posterior posterior = encoder.Of(images, index, 1);
  std::vector<float> deviation;
  for (float log_variance : posterior.log_variance.values<float>()) deviation.push_back(std::exp(log_variance / 2));
  WriteLatentSheet(path, model, decoder, steps, posterior.mean.values<float>(), deviation);
}

DrawnSheet ReconstructionSheet(const Model& model, LatentEncoder& encoder, PictureDecoder& decoder,
                               const Images& images) {
  constexpr int64_t kColumns = 16, kPairs = 4;
  const int64_t columns = std::min(kColumns, images.count), pairs = std::min(kPairs, images.count / columns);
  const Tensor input = ImageTensor(images, 0, columns * pairs);
  const Tensor output = decoder.Pictures(encoder.Of(images, 0, columns * pairs).mean);
  const size_t row =
      static_cast<size_t>(columns) * static_cast<size_t>(model.rows) * static_cast<size_t>(model.columns);
  std::vector<float> pixels;
  for (size_t pair = 0; pair < static_cast<size_t>(pairs); ++pair) {
    for (const Tensor* from : {&input, &output}) {
      const std::span<const float> part = from->values<float>().subspan(pair * row, row);
      pixels.insert(pixels.end(), part.begin(), part.end());
    }
  }
  return {
      .rows = 2 * pairs, .columns = columns, .height = model.rows, .width = model.columns, .pixels = std::move(pixels)};
}

void WriteReconstructions(const std::filesystem::path& path, const Model& model, LatentEncoder& encoder,
                          PictureDecoder& decoder, const Images& images) {
  WriteSheet(path, ReconstructionSheet(model, encoder, decoder, images).view());
}

void WriteSamples(const std::filesystem::path& path, const Model& model, PictureDecoder& decoder, int64_t seed) {
  constexpr int64_t kRows = 8, kColumns = 16;
  const Tensor z = NormalRows(kRows * kColumns, model.config.latent_units, static_cast<uint64_t>(seed));
  const Tensor pictures = decoder.Pictures(z);
  WriteSheet(path, {.rows = kRows,
                    .columns = kColumns,
                    .height = model.rows,
                    .width = model.columns,
                    .pixels = pictures.values<float>()});
}

Tensor LatentLine(std::span<const float> a, std::span<const float> b, int64_t count) {
  Tensor line(DType::kFloat32, {count, static_cast<int64_t>(a.size())});
  float* z = line.values<float>().data();
  for (int64_t i = 0; i < count; ++i) {
    const double t = static_cast<double>(i) / static_cast<double>(count - 1);
    for (size_t axis = 0; axis < a.size(); ++axis) *z++ = static_cast<float>((1 - t) * a[axis] + t * b[axis]);
  }
  return line;
}

void WriteInterpolation(const std::filesystem::path& path, const Model& model, LatentEncoder& encoder,
                        PictureDecoder& decoder, const Images& images, int64_t a, int64_t b, int64_t count) {
  const Tensor from = encoder.Of(images, a, 1).mean, to = encoder.Of(images, b, 1).mean;
  const Tensor pictures = decoder.Pictures(LatentLine(from.values<float>(), to.values<float>(), count));
  WriteSheet(
      path,
      {.rows = 1, .columns = count, .height = model.rows, .width = model.columns, .pixels = pictures.values<float>()});
}

void WriteLatentPlane(const std::filesystem::path& path, const Posterior& posterior, std::span<const uint8_t> labels) {
  const auto latent = static_cast<size_t>(posterior.mean.shape()[1].length());
  const std::span<const float> mean = posterior.mean.values<float>();
  std::vector<float> x, y;
  for (size_t i = 0; i < mean.size(); i += latent) {
    x.push_back(mean[i]);
    y.push_back(latent > 1 ? mean[i + 1] : posterior.log_variance.values<float>()[i]);
  }
  WriteScatter(path, {.title = fmt::format("Posterior means of {} test images", labels.size()),
                      .y_label = latent > 1 ? "latent axis 1" : "log-variance of axis 0",
                      .x = x,
                      .y = y,
                      .labels = labels});
}

void WriteLatentAxes(const std::filesystem::path& path, const std::vector<LatentAxis>& axes) {
  Series active = {.name = "active"}, inactive = {.name = "not active"};
  for (const LatentAxis& axis : axes) {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    active.values.push_back(axis.is_active() ? axis.divergence : kNone);
    inactive.values.push_back(axis.is_active() ? kNone : axis.divergence);
  }
  WriteBars(path, {.title = fmt::format("{} of {} latent axes active", ActiveCount(axes), axes.size()),
                   .x_label = "latent axis",
                   .y_label = "KL in nats per image",
                   .series = {active, inactive}});
}

}  // namespace weft
