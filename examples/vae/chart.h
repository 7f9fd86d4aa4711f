// The frame of a chart: title, axes with ticks, grid and legend; the caller draws the marks inside.
//
//   Chart chart({.title = "Training", .x = {"epoch", 1, 100}, .y = {"nats", 90, 200}, .legend = {{"loss",
//   kPalette[0]}}}); cairo_line_to(chart.ink(), chart.X(3), chart.Y(151.2)); chart.Save("curves.png");
#pragma once

#include <cairo.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "weft/examples/vae/png_file.h"

namespace weft {

/// Eight bits a channel.
struct Colour {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
};

/// Ten colours told apart by hue and lightness.
inline constexpr std::array<Colour, 10> kPalette = {{{0x1F, 0x77, 0xB4},
                                                     {0xFF, 0x7F, 0x0E},
                                                     {0x2C, 0xA0, 0x2C},
                                                     {0xD6, 0x27, 0x28},
                                                     {0x94, 0x67, 0xBD},
                                                     {0x8C, 0x56, 0x4B},
                                                     {0xE3, 0x77, 0xC2},
                                                     {0x7F, 0x7F, 0x7F},
                                                     {0xBC, 0xBD, 0x22},
                                                     {0x17, 0xBE, 0xCF}}};

/// Further drawing is in this colour; `opacity` is 1 for opaque.
void SetColour(cairo_t* ink, Colour colour, double opacity = 1);

struct Axis {
  std::string label = {};
  double low = 0;
  double high = 1;             ///< above low
  bool whole_numbers = false;  ///< ticks at integers only
};

struct LegendEntry {
  std::string name = {};
  Colour colour = {};
};

/// What stands around the marks. Lengths are in points; a picture has two pixels a point.
struct Frame {
  std::string title = {};
  Axis x = {};
  Axis y = {};
  double width = 720;   ///< of the area for the marks
  double height = 420;  ///< of the area for the marks
  std::string legend_title = {};
  std::vector<LegendEntry> legend = {};
};

/// The multiples of 1, 2 or 5 times a power of ten in the range of `axis`, as dense as possible but at most `most`.
std::vector<double> Ticks(const Axis& axis, int most);

/// The texts of ticks in one precision, as "0", "0.5", "1.0", or "−2.5e+07".
std::vector<std::string> TickTexts(const std::vector<double>& ticks);

class Chart {
 public:
  /// Draws the frame; the margins are as wide as the texts need. Throws std::invalid_argument for an empty
  /// or infinite range.
  explicit Chart(const Frame& frame);

  /// Draws in points, clipped to the area for the marks.
  cairo_t* ink() const { return ink_.get(); }
  double X(double value) const {
    return left_ + frame_.width * (value - frame_.x.low) / (frame_.x.high - frame_.x.low);
  }
  double Y(double value) const {
    return top_ + frame_.height * (frame_.y.high - value) / (frame_.y.high - frame_.y.low);
  }

  /// Throws std::system_error or std::runtime_error naming `path`.
  void Save(const std::filesystem::path& path) const;

 private:
  struct InkDeleter {
    void operator()(cairo_t* ink) const { cairo_destroy(ink); }
  };

  void StartSurface(double width, double height);
  void DrawAxes(const std::vector<double>& x_ticks, const std::vector<double>& y_ticks) const;
  void DrawLegend() const;

  Frame frame_;
  Surface surface_;
  std::unique_ptr<cairo_t, InkDeleter> ink_;
  double left_ = 0;
  double top_ = 0;
};

}  // namespace weft
