// Measures every text first, then lays out: nothing overlaps, however long a name or a number is.
#include "weft/examples/vae/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "weft/examples/vae/printable.h"

namespace weft {
namespace {

constexpr double kPixelsPerPoint = 2;
constexpr double kMargin = 18;
constexpr double kGap = 8;  // between a tick, its text and the label of the axis
constexpr double kTickSize = 12;
constexpr double kLabelSize = 13;
constexpr double kTitleSize = 16;
constexpr double kLegendLine = 22;
constexpr double kSwatch = 14;

constexpr Colour kInk = {0x26, 0x26, 0x2B};
constexpr Colour kFaint = {0xE6, 0xE6, 0xE8};

void SetFont(cairo_t* ink, double size, cairo_font_weight_t weight = CAIRO_FONT_WEIGHT_NORMAL) {
  cairo_select_font_face(ink, "sans-serif", CAIRO_FONT_SLANT_NORMAL, weight);
  cairo_set_font_size(ink, size);
}

double TextWidth(cairo_t* ink, const std::string& text) {
  cairo_text_extents_t extents;
  cairo_text_extents(ink, text.c_str(), &extents);
  return extents.x_advance;
}

double WidestText(cairo_t* ink, const std::vector<std::string>& texts) {
  double widest = 0;
  for (const std::string& text : texts) widest = std::max(widest, TextWidth(ink, text));
  return widest;
}

/// Writes with the capitals centred on `y`; `anchor` is 0 for text that begins at `x`, 0.5 centred, 1 ending there.
void DrawText(cairo_t* ink, const std::string& text, double x, double y, double anchor) {
  cairo_text_extents_t capital;
  cairo_text_extents(ink, "H", &capital);
  cairo_move_to(ink, x - anchor * TextWidth(ink, text), y + capital.height / 2);
  cairo_show_text(ink, text.c_str());
}

/// Drops ticks until their texts stand side by side on `width`.
std::vector<double> FittingTicks(cairo_t* ink, const Axis& axis, double width) {
  for (int most = 12; most > 2; --most) {
    std::vector<double> ticks = Ticks(axis, most);
    const auto count = static_cast<double>(ticks.size());
    if (count * (WidestText(ink, TickTexts(ticks)) + 2 * kGap) <= width) return ticks;
  }
  return Ticks(axis, 2);
}

/// Below 10⁻¹² of their values two ends are the same to the arithmetic of ticks, and outside ±10³⁰⁰ it overflows.
void RequireRange(const Axis& axis) {
  const double size = std::max(std::abs(axis.low), std::abs(axis.high));
  if (size < 1e300 && axis.high - axis.low > std::max(1e-12 * size, 1e-300)) return;
  throw std::invalid_argument(
      fmt::format("axis '{}': got {} to {}, expected a range that can be drawn", axis.label, axis.low, axis.high));
}

/// Cairo refuses text that is not UTF-8, and nobody can read control characters.
Frame WithPrintableTexts(Frame frame) {
  for (std::string* text : {&frame.title, &frame.x.label, &frame.y.label, &frame.legend_title}) {
    *text = Printable(*text);
  }
  for (LegendEntry& entry : frame.legend) entry.name = Printable(entry.name);
  return frame;
}

}  // namespace

void SetColour(cairo_t* ink, Colour colour, double opacity) {
  cairo_set_source_rgba(ink, colour.red / 255.0, colour.green / 255.0, colour.blue / 255.0, opacity);
}

std::vector<double> Ticks(const Axis& axis, int most) {
  const double smallest = (axis.high - axis.low) / most;
  double step = std::pow(10, std::floor(std::log10(smallest)));
  if (axis.whole_numbers) step = std::max(step, 1.0);
  std::vector<double> ticks;
  for (const double factor : {1.0, 2.0, 5.0, 10.0, 20.0}) {
    const double first = std::ceil(axis.low / (factor * step));
    const double last = std::floor(axis.high / (factor * step));
    if (last - first >= most) continue;
    for (double i = first; i <= last; ++i) ticks.push_back(i * factor * step);
    break;
  }
  return ticks;
}

std::vector<std::string> TickTexts(const std::vector<double>& ticks) {
  const double step = ticks.size() < 2 ? 1 : ticks[1] - ticks[0];
  double largest = step;
  for (const double tick : ticks) largest = std::max(largest, std::abs(tick));
  // Digits that show one unit of the step; 1e-9 since the logarithm of a step of 0.1 may fall a little below −1.
  const auto exponent = [](double value) { return static_cast<int>(std::floor(std::log10(value) + 1e-9)); };
  const int decimals = std::max(0, -exponent(step));
  const bool scientific = largest >= 1e7 || decimals > 5;
  std::vector<std::string> texts;
  for (const double tick : ticks) {
    if (std::abs(tick) < step / 2) {  // never "−0"
      texts.emplace_back("0");
    } else {
      const std::string size = scientific ? fmt::format("{:.{}e}", std::abs(tick), exponent(largest) - exponent(step))
                                          : fmt::format("{:.{}f}", std::abs(tick), decimals);
      texts.push_back((tick < 0 ? "−" : "") + size);
    }
  }
  return texts;
}

Chart::Chart(const Frame& frame) : frame_(WithPrintableTexts(frame)) {
  RequireRange(frame_.x);
  RequireRange(frame_.y);
  StartSurface(1, 1);  // only to measure
  SetFont(ink(), kTickSize);
  const std::vector<double> x_ticks = FittingTicks(ink(), frame_.x, frame_.width);
  const std::vector<double> y_ticks = Ticks(frame_.y, 9);
  left_ = kMargin + kLabelSize + kGap + WidestText(ink(), TickTexts(y_ticks)) + kGap;
  top_ = kMargin + kTitleSize + 2 * kGap;

  double legend = TextWidth(ink(), frame_.legend_title);
  for (const LegendEntry& entry : frame_.legend) {
    legend = std::max(legend, kSwatch + kGap + TextWidth(ink(), entry.name));
  }
  if (!frame_.legend.empty()) legend += 2 * kGap;
  const double right = std::max(legend, WidestText(ink(), TickTexts(x_ticks)) / 2);  // a tick may stand at the end
  SetFont(ink(), kTitleSize, CAIRO_FONT_WEIGHT_BOLD);
  const double title = TextWidth(ink(), frame_.title);
  const double lines = static_cast<double>(frame_.legend.size() + 1) * kLegendLine;
  StartSurface(std::max(left_ + frame_.width + right, left_ + title) + kMargin,
               top_ + std::max(frame_.height + 2 * kGap + kTickSize + kGap + kLabelSize, lines) + kMargin);

  SetColour(ink(), kInk);
  SetFont(ink(), kTitleSize, CAIRO_FONT_WEIGHT_BOLD);
  DrawText(ink(), frame_.title, left_, kMargin + kTitleSize / 2, 0);
  DrawAxes(x_ticks, y_ticks);
  DrawLegend();
  cairo_rectangle(ink(), left_, top_, frame_.width, frame_.height);
  cairo_clip(ink());
}

void Chart::StartSurface(double width, double height) {
  ink_.reset();
  surface_.reset(cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(std::ceil(width * kPixelsPerPoint)),
                                            static_cast<int>(std::ceil(height * kPixelsPerPoint))));
  ink_.reset(cairo_create(surface_.get()));
  cairo_scale(ink(), kPixelsPerPoint, kPixelsPerPoint);
  cairo_set_source_rgb(ink(), 1, 1, 1);
  cairo_paint(ink());
  // Shapes as designed: hinting would move stems to whole pixels and make widths depend on the size.
  cairo_font_options_t* options = cairo_font_options_create();
  cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
  cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
  cairo_set_font_options(ink(), options);
  cairo_font_options_destroy(options);
}

void Chart::DrawAxes(const std::vector<double>& x_ticks, const std::vector<double>& y_ticks) const {
  const double bottom = top_ + frame_.height;
  const double right = left_ + frame_.width;
  cairo_set_line_width(ink(), 1);
  SetColour(ink(), kFaint);
  for (const double tick : x_ticks) {
    cairo_move_to(ink(), X(tick), top_);
    cairo_line_to(ink(), X(tick), bottom);
  }
  for (const double tick : y_ticks) {
    cairo_move_to(ink(), left_, Y(tick));
    cairo_line_to(ink(), right, Y(tick));
  }
  cairo_stroke(ink());

  SetColour(ink(), kInk);
  cairo_move_to(ink(), left_, top_);
  cairo_line_to(ink(), left_, bottom);
  cairo_line_to(ink(), right, bottom);
  cairo_stroke(ink());

  SetFont(ink(), kTickSize);
  const double x_tick_line = bottom + kGap + kTickSize / 2;
  const std::vector<std::string> x_texts = TickTexts(x_ticks), y_texts = TickTexts(y_ticks);
  for (std::size_t i = 0; i < x_ticks.size(); ++i) DrawText(ink(), x_texts[i], X(x_ticks[i]), x_tick_line, 0.5);
  for (std::size_t i = 0; i < y_ticks.size(); ++i) DrawText(ink(), y_texts[i], left_ - kGap, Y(y_ticks[i]), 1);

  SetFont(ink(), kLabelSize);
  DrawText(ink(), frame_.x.label, left_ + frame_.width / 2, x_tick_line + kTickSize / 2 + kGap + kLabelSize / 2, 0.5);
  cairo_save(ink());
  cairo_translate(ink(), kMargin + kLabelSize / 2, top_ + frame_.height / 2);
  cairo_rotate(ink(), -std::acos(0.0));
  DrawText(ink(), frame_.y.label, 0, 0, 0.5);
  cairo_restore(ink());
}

void Chart::DrawLegend() const {
  const double x = left_ + frame_.width + 2 * kGap;
  double y = top_ + kLegendLine / 2;
  SetFont(ink(), kTickSize);
  if (!frame_.legend_title.empty()) {
    SetColour(ink(), kInk);
    DrawText(ink(), frame_.legend_title, x, y, 0);
    y += kLegendLine;
  }
  for (const LegendEntry& entry : frame_.legend) {
    SetColour(ink(), entry.colour);
    cairo_arc(ink(), x + kSwatch / 2, y, kSwatch / 2 - 1.5, 0, 4 * std::acos(0.0));
    cairo_fill(ink());
    SetColour(ink(), kInk);
    DrawText(ink(), entry.name, x + kSwatch + kGap, y, 0);
    y += kLegendLine;
  }
}

void Chart::Save(const std::filesystem::path& path) const {
  RequireDrawn(cairo_status(ink()), path);
  WritePng(path, surface_.get());
}

}  // namespace weft
