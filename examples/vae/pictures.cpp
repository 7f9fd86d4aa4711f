// Digit sheets keep every pixel as it is; charts choose their own ranges.
#include "weft/examples/vae/pictures.h"

#include <cairo.h>
#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "weft/examples/vae/chart.h"
#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/png_file.h"

namespace weft {
namespace {

constexpr std::int64_t kLargestSide = 32767;  // of a Cairo image surface
constexpr double kFullCircle = 6.283185307179586;

/// round(255·p), 0 … 255; the comparison that NaN fails comes first.
unsigned char Grey(float p) { return p > 0 ? static_cast<unsigned char>(std::lround(255 * std::min(p, 1.0F))) : 0; }

void RequireSheet(const Sheet& sheet) {
  for (const auto& [count, size] : {std::pair(sheet.rows, sheet.height), std::pair(sheet.columns, sheet.width)}) {
    if (count < 1 || size < 1 || count > kLargestSide / size) {
      throw std::invalid_argument(fmt::format("sheet: got {} tiles of {} pixels on one side, expected 1 to {} pixels",
                                              count, size, kLargestSide));
    }
  }
  const std::int64_t expected = sheet.rows * sheet.columns * sheet.height * sheet.width;
  if (std::ssize(sheet.pixels) != expected) {
    throw std::invalid_argument(fmt::format("sheet: got {} values, expected {}×{} tiles of {}×{} = {}",
                                            sheet.pixels.size(), sheet.rows, sheet.columns, sheet.height, sheet.width,
                                            expected));
  }
}

/// False for NaN, the infinities, and what would become infinite on its way to a pixel.
bool CanBeDrawn(double value) { return std::abs(value) < 1e290; }

/// The smallest range around the values given; 0 … 0 for none.
struct Extent {
  double low = 0;
  double high = 0;
  bool empty = true;

  void Include(double value) {
    if (!CanBeDrawn(value)) return;
    low = empty ? value : std::min(low, value);
    high = empty ? value : std::max(high, value);
    empty = false;
  }
  double Middle() const { return low + (high - low) / 2; }
  /// The length to show: of equal values, a tenth of their size, or 1 for zeros.
  double Visible() const {
    const double size = std::abs(Middle());
    const bool equal = high - low <= std::max(1e-6 * size, 1e-290);
    return !equal ? high - low : size > 1e-280 ? size / 10 : 1;
  }
};

constexpr double kAir = 1.06;  // free space around the marks, as a factor on their extent

void RequireScatter(const Scatter& scatter) {
  const bool labelled = !scatter.labels.empty();
  if (scatter.x.size() != scatter.y.size() || (labelled && scatter.labels.size() != scatter.x.size())) {
    throw std::invalid_argument(fmt::format("scatter: got {} x, {} y and {} labels, expected equal numbers",
                                            scatter.x.size(), scatter.y.size(), scatter.labels.size()));
  }
  const auto wrong = std::ranges::find_if(scatter.labels, [](std::uint8_t label) { return label >= kPalette.size(); });
  if (wrong != scatter.labels.end()) {
    throw std::invalid_argument(fmt::format("scatter: got label {}, expected 0 to {}", *wrong, kPalette.size() - 1));
  }
}

std::vector<LegendEntry> LegendOf(std::span<const std::uint8_t> labels) {
  std::bitset<kPalette.size()> present;
  for (const std::uint8_t label : labels) present.set(label);
  std::vector<LegendEntry> legend;
  for (std::size_t label = 0; label < kPalette.size(); ++label) {
    if (present[label]) legend.push_back({.name = std::to_string(label), .colour = kPalette[label]});
  }
  return legend;
}

void RequireFewSeries(std::string_view what, const std::vector<Series>& series) {
  if (series.size() <= kPalette.size()) return;
  throw std::invalid_argument(
      fmt::format("{}: got {} series, expected at most {}", what, series.size(), kPalette.size()));
}

std::vector<LegendEntry> LegendOf(const std::vector<Series>& series) {
  std::vector<LegendEntry> legend;
  for (const Series& each : series) legend.push_back({.name = each.name, .colour = kPalette[legend.size()]});
  return legend;
}

/// Draws the runs of finite values as lines; a round cap shows a run of one value as a dot.
void DrawSeries(const Chart& chart, const std::vector<double>& values, std::int64_t first_epoch, Colour colour) {
  cairo_t* ink = chart.ink();
  SetColour(ink, colour);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!CanBeDrawn(values[i])) continue;
    const double x = chart.X(static_cast<double>(first_epoch) + static_cast<double>(i));
    const double y = chart.Y(values[i]);
    if (i == 0 || !CanBeDrawn(values[i - 1])) cairo_move_to(ink, x, y);
    cairo_line_to(ink, x, y);
  }
  cairo_set_line_width(ink, 2);
  cairo_set_line_cap(ink, CAIRO_LINE_CAP_ROUND);
  cairo_set_line_join(ink, CAIRO_LINE_JOIN_ROUND);
  cairo_stroke(ink);
}

/// Marks each value while there are few: then one sees which epochs exist.
void DrawDots(const Chart& chart, const std::vector<double>& values, std::int64_t first_epoch) {
  constexpr std::size_t kFew = 30;
  if (values.size() > kFew) return;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!CanBeDrawn(values[i])) continue;
    cairo_arc(chart.ink(), chart.X(static_cast<double>(first_epoch) + static_cast<double>(i)), chart.Y(values[i]), 3, 0,
              kFullCircle);
    cairo_fill(chart.ink());
  }
}

/// Each takes four fifths of the way to its neighbour.
void DrawBars(const Chart& chart, const std::vector<double>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!CanBeDrawn(values[i])) continue;
    const double left = chart.X(static_cast<double>(i) - 0.4), right = chart.X(static_cast<double>(i) + 0.4);
    cairo_rectangle(chart.ink(), left, chart.Y(values[i]), right - left, chart.Y(0) - chart.Y(values[i]));
  }
  cairo_fill(chart.ink());
}

}  // namespace

std::string SheetPng(const Sheet& sheet) {
  RequireSheet(sheet);
  const Surface surface(cairo_image_surface_create(CAIRO_FORMAT_A8, static_cast<int>(sheet.columns * sheet.width),
                                                   static_cast<int>(sheet.rows * sheet.height)));
  RequireDrawn(cairo_surface_status(surface.get()), "sheet");
  cairo_surface_flush(surface.get());
  unsigned char* grey = cairo_image_surface_get_data(surface.get());
  const std::ptrdiff_t stride = cairo_image_surface_get_stride(surface.get());
  const float* pixel = sheet.pixels.data();
  for (std::int64_t tile = 0; tile < sheet.rows * sheet.columns; ++tile) {
    const std::int64_t top = tile / sheet.columns * sheet.height;
    const std::int64_t left = tile % sheet.columns * sheet.width;
    for (std::int64_t row = 0; row < sheet.height; ++row) {
      std::transform(pixel, pixel + sheet.width, grey + (top + row) * stride + left, Grey);
      pixel += sheet.width;
    }
  }
  cairo_surface_mark_dirty(surface.get());
  return EncodePng(surface.get(), "sheet");  // a surface of format A8 becomes an 8-bit grey PNG, byte by byte
}

void WriteSheet(const std::filesystem::path& path, const Sheet& sheet) { WriteWhole(path, SheetPng(sheet)); }

void WriteScatter(const std::filesystem::path& path, const Scatter& scatter) {
  RequireScatter(scatter);
  Extent x, y;
  for (std::size_t i = 0; i < scatter.x.size(); ++i) {
    if (!CanBeDrawn(scatter.x[i]) || !CanBeDrawn(scatter.y[i])) continue;
    x.Include(scatter.x[i]);
    y.Include(scatter.y[i]);
  }
  const double half = kAir * std::max(x.Visible(), y.Visible()) / 2;
  const Chart chart({.title = scatter.title,
                     .x = {.label = scatter.x_label, .low = x.Middle() - half, .high = x.Middle() + half},
                     .y = {.label = scatter.y_label, .low = y.Middle() - half, .high = y.Middle() + half},
                     .width = 600,
                     .height = 600,
                     .legend_title = scatter.labels.empty() ? "" : scatter.legend_title,
                     .legend = LegendOf(scatter.labels)});
  for (std::size_t i = 0; i < scatter.x.size(); ++i) {
    if (!CanBeDrawn(scatter.x[i]) || !CanBeDrawn(scatter.y[i])) continue;
    SetColour(chart.ink(), kPalette[scatter.labels.empty() ? 0 : scatter.labels[i]], 0.6);
    cairo_arc(chart.ink(), chart.X(scatter.x[i]), chart.Y(scatter.y[i]), 1.7, 0, kFullCircle);
    cairo_fill(chart.ink());
  }
  chart.Save(path);
}

void WriteCurves(const std::filesystem::path& path, const Curves& curves) {
  RequireFewSeries("curves", curves.series);
  Extent values;
  std::size_t epochs = 1;
  for (const Series& series : curves.series) {
    epochs = std::max(epochs, series.values.size());
    for (const double value : series.values) values.Include(value);
  }
  const double first = static_cast<double>(curves.first_epoch);
  const double last = first + static_cast<double>(epochs - 1);
  const double air = (kAir - 1) / 2 * std::max(last - first, 1.0);
  const double half = kAir * values.Visible() / 2;
  const Chart chart({.title = curves.title,
                     .x = {.label = curves.x_label, .low = first - air, .high = last + air, .whole_numbers = true},
                     .y = {.label = curves.y_label, .low = values.Middle() - half, .high = values.Middle() + half},
                     .legend = LegendOf(curves.series)});
  for (std::size_t i = 0; i < curves.series.size(); ++i) {
    DrawSeries(chart, curves.series[i].values, curves.first_epoch, kPalette[i]);
    DrawDots(chart, curves.series[i].values, curves.first_epoch);
  }
  chart.Save(path);
}

void WriteBars(const std::filesystem::path& path, const Bars& bars) {
  RequireFewSeries("bars", bars.series);
  Extent values;
  values.Include(0);
  std::size_t count = 1;
  for (const Series& series : bars.series) {
    count = std::max(count, series.values.size());
    for (const double value : series.values) values.Include(value);
  }
  const Chart chart(
      {.title = bars.title,
       .x = {.label = bars.x_label, .low = -0.5, .high = static_cast<double>(count) - 0.5, .whole_numbers = true},
       .y = {.label = bars.y_label, .low = 0, .high = kAir * values.Visible()},
       .legend = LegendOf(bars.series)});
  for (std::size_t i = 0; i < bars.series.size(); ++i) {
    SetColour(chart.ink(), kPalette[i]);
    DrawBars(chart, bars.series[i].values);
  }
  chart.Save(path);
}

}  // namespace weft
