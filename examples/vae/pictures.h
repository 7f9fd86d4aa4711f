// The pictures that the tool writes, each a PNG file: sheets of digits, the latent plane, curves of a training, bars.
//
//   WriteSheet("vae_z.png", {.rows = 15, .columns = 15, .height = 28, .width = 28, .pixels = means});
//   WriteScatter("latent.png", {.title = "Test digits in the latent plane", .x = z0, .y = z1, .labels = labels});
//   WriteCurves("curves.png", {.title = "Training", .series = {{"loss", losses}, {"KL", divergences}}});
//
// All of them throw std::invalid_argument where spans do not fit together, and std::system_error or std::runtime_error
// naming the path where the file cannot be written; an earlier picture of that name is then kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace weft {

/// rows × columns tiles of height × width pixels without a gap. `pixels` is f32[rows·columns, height, width], tile 0 at
/// the top left, tile 1 to its right: a grid whose axis 1 points up begins with its largest value.
struct Sheet {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t height = 28;
  std::int64_t width = 28;
  std::span<const float> pixels = {};
};

/// Writes 8-bit grey, pixel = round(255·p) with p clamped to [0, 1], and 0 for NaN.
void WriteSheet(const std::filesystem::path& path, const Sheet& sheet);
/// The bytes of that file.
std::string SheetPng(const Sheet& sheet);

/// Points in a plane with one unit for both axes. Points that are not finite are left out.
struct Scatter {
  std::string title = {};
  std::string x_label = "latent axis 0";
  std::string y_label = "latent axis 1";
  std::string legend_title = "digit";
  std::span<const float> x = {};              ///< f32[n]
  std::span<const float> y = {};              ///< f32[n]
  std::span<const std::uint8_t> labels = {};  ///< [n], each 0 … 9; or empty: one colour and no legend
};

void WriteScatter(const std::filesystem::path& path, const Scatter& scatter);

/// One value an epoch; a value that is not finite leaves a gap.
struct Series {
  std::string name = {};
  std::vector<double> values = {};
};

struct Curves {
  std::string title = {};
  std::string x_label = "epoch";
  std::string y_label = "nats per image";
  std::int64_t first_epoch = 1;     ///< the epoch of values[0], for every series
  std::vector<Series> series = {};  ///< at most 10
};

void WriteCurves(const std::filesystem::path& path, const Curves& curves);

/// Bars from 0 to values[i] at the whole numbers i = 0, 1, …; series that have a value at the same number hide each
/// other. None stands below 0.
struct Bars {
  std::string title = {};
  std::string x_label = {};
  std::string y_label = {};
  std::vector<Series> series = {};  ///< at most 10, of equal lengths
};

void WriteBars(const std::filesystem::path& path, const Bars& bars);

}  // namespace weft
