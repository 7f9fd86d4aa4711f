// Pictures are read back: sheets must be exact to the pixel, charts must show their marks where the axes say.
#include "weft/examples/vae/pictures.h"

#include <cairo.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "weft/examples/vae/chart.h"
#include "weft/examples/vae/png_file.h"

namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

/// A picture as 0xRRGGBB.
struct Picture {
  int width = 0;
  int height = 0;
  std::vector<std::uint32_t> pixels = {};

  std::uint32_t At(int x, int y) const { return pixels.at(static_cast<std::size_t>(y * width + x)); }
  /// Pixels of about this colour: dots are translucent, edges smooth.
  std::int64_t Count(Colour colour) const {
    return std::ranges::count_if(pixels, [colour](std::uint32_t pixel) {
      const auto near = [pixel](unsigned shift, int value) {
        return std::abs(static_cast<int>(pixel >> shift & 0xFF) - value) <= 4;
      };
      return near(16, colour.red) && near(8, colour.green) && near(0, colour.blue);
    });
  }
};

Picture ReadPicture(const std::filesystem::path& path) {
  const Surface surface(cairo_image_surface_create_from_png(path.c_str()));
  EXPECT_EQ(cairo_surface_status(surface.get()), CAIRO_STATUS_SUCCESS) << path;
  Picture picture = {.width = cairo_image_surface_get_width(surface.get()),
                     .height = cairo_image_surface_get_height(surface.get())};
  for (int y = 0; y < picture.height; ++y) {
    const auto* row = reinterpret_cast<const std::uint32_t*>(cairo_image_surface_get_data(surface.get()) +
                                                             y * cairo_image_surface_get_stride(surface.get()));
    for (int x = 0; x < picture.width; ++x) picture.pixels.push_back(row[x] & 0xFFFFFF);
  }
  return picture;
}

std::uint32_t Rgb(Colour colour) {
  return std::uint32_t{colour.red} << 16 | std::uint32_t{colour.green} << 8 | colour.blue;
}

std::string Content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Pictures : public testing::Test {
 protected:
  Pictures() {
    std::string pattern = testing::TempDir() + "pictures_XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~Pictures() override { std::filesystem::remove_all(directory_); }

  std::ptrdiff_t FileCount() const {
    return std::distance(std::filesystem::directory_iterator(directory_), std::filesystem::directory_iterator());
  }

  std::filesystem::path directory_;
};

const std::vector<float> kFourPixels = {0, 0.25F, 0.5F, 1};
constexpr std::array<std::uint32_t, 4> kFourGreys = {0x000000, 0x404040, 0x808080,
                                                     0xFFFFFF};  // 63.75 and 127.5 rounded

TEST_F(Pictures, SheetHasExactPixelsInTheirPlaces) {
  // 2 × 3 tiles of 2 × 5 pixels; every pixel has its own value.
  std::vector<float> pixels;
  for (int i = 0; i < 60; ++i) pixels.push_back(static_cast<float>(i) / 255);
  WriteSheet(directory_ / "sheet.png", {.rows = 2, .columns = 3, .height = 2, .width = 5, .pixels = pixels});
  const Picture picture = ReadPicture(directory_ / "sheet.png");
  ASSERT_EQ(picture.width, 15);
  ASSERT_EQ(picture.height, 4);
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 15; ++x) {
      const int tile = y / 2 * 3 + x / 5;
      const int value = tile * 10 + y % 2 * 5 + x % 5;
      EXPECT_EQ(picture.At(x, y), static_cast<std::uint32_t>(value) * 0x010101) << x << " " << y;
    }
  }
}

TEST_F(Pictures, SheetRoundsAndClamps) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> pixels = {-0.1F, -infinity, std::nanf(""), 0.0019F, 0.0020F,
                                     0.5F,  0.998F,    0.9981F,       1.1F,    infinity};
  WriteSheet(directory_ / "sheet.png", {.rows = 1, .columns = 1, .height = 1, .width = 10, .pixels = pixels});
  std::vector<std::uint32_t> greys = ReadPicture(directory_ / "sheet.png").pixels;
  for (std::uint32_t& grey : greys) grey &= 0xFF;
  EXPECT_THAT(greys, ElementsAre(0, 0, 0, 0, 1, 128, 254, 255, 255, 255));
}

TEST_F(Pictures, SheetIsEightBitGrey) {
  WriteSheet(directory_ / "sheet.png", {.rows = 1, .columns = 1, .height = 2, .width = 2, .pixels = kFourPixels});
  const std::string png = Content(directory_ / "sheet.png");
  EXPECT_EQ(png.substr(12, 14),
            std::string("IHDR\0\0\0\2\0\0\0\2\x08\0", 14));  // width, height, depth 8, colour type grey
  EXPECT_THAT(ReadPicture(directory_ / "sheet.png").pixels, testing::ElementsAreArray(kFourGreys));
}

TEST_F(Pictures, RefusesSpansThatDoNotFit) {
  const std::filesystem::path path = directory_ / "picture.png";
  const std::vector<float> two = {1, 2}, three = {1, 2, 3};
  const std::vector<std::uint8_t> ten = {0, 10}, one = {1};
  EXPECT_THROW(WriteSheet(path, {.rows = 1, .columns = 1, .height = 1, .width = 3, .pixels = two}),
               std::invalid_argument);
  EXPECT_THROW(WriteSheet(path, {.rows = 0, .columns = 1, .pixels = {}}), std::invalid_argument);
  EXPECT_THROW(WriteSheet(path, {.rows = 1, .columns = 1LL << 62, .width = 4, .pixels = {}}), std::invalid_argument);
  EXPECT_THROW(WriteSheet(path, {.rows = 1, .columns = 1171, .pixels = {}}), std::invalid_argument);  // 32 788 pixels
  EXPECT_THROW(WriteScatter(path, {.x = two, .y = three}), std::invalid_argument);
  EXPECT_THROW(WriteScatter(path, {.x = two, .y = two, .labels = one}), std::invalid_argument);
  EXPECT_THROW(WriteScatter(path, {.x = two, .y = two, .labels = ten}), std::invalid_argument);
  EXPECT_THROW(WriteCurves(path, {.series = std::vector<Series>(11)}), std::invalid_argument);
  EXPECT_THROW(WriteBars(path, {.series = std::vector<Series>(11)}), std::invalid_argument);
  EXPECT_THROW(WriteCurves(path, {.first_epoch = 1LL << 62}), std::invalid_argument);
  EXPECT_EQ(FileCount(), 0);
}

TEST_F(Pictures, ReplacesThePictureAndNotWhatALinkNames) {
  const std::filesystem::path path = directory_ / "sheet.png", other = directory_ / "other";
  std::ofstream(other) << "kept";
  std::filesystem::create_symlink("other", path);
  for (int i = 0; i < 2; ++i) {
    WriteSheet(path, {.rows = 1, .columns = 1, .height = 2, .width = 2, .pixels = kFourPixels});
    EXPECT_EQ(ReadPicture(path).width, 2);
  }
  EXPECT_FALSE(std::filesystem::is_symlink(path));
  EXPECT_EQ(Content(other), "kept");
  EXPECT_EQ(FileCount(), 2);
}

/// The text of the std::system_error of writing a small sheet to `path`.
std::string ErrorOf(const std::filesystem::path& path) {
  try {
    WriteSheet(path, {.rows = 1, .columns = 1, .height = 2, .width = 2, .pixels = kFourPixels});
  } catch (const std::system_error& error) {
    return error.what();
  }
  return "no error";
}

TEST_F(Pictures, NamesThePathThatCannotBeWritten) {
  const std::filesystem::path absent = directory_ / "absent" / "sheet.png", taken = directory_ / "taken";
  std::filesystem::create_directories(taken / "inside");
  EXPECT_THAT(ErrorOf(absent), MatchesRegex("write: " + absent.native() + ": cannot .*: No such file or directory"));
  EXPECT_THAT(ErrorOf(taken), MatchesRegex("write: " + taken.native() + ": cannot rename it.*: Is a directory"));
  EXPECT_THAT(ErrorOf(directory_ / "absent\n\x1b" / "x"), HasSubstr("absent\\x0a\\x1b/x"));
  EXPECT_EQ(FileCount(), 1);
}

TEST_F(Pictures, KeepsTheOldPictureWhenTheNewOneDoesNotFit) {
  const std::filesystem::path path = directory_ / "sheet.png";
  ASSERT_EQ(ErrorOf(path), "no error");
  const std::string before = Content(path);
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const rlimit small = {.rlim_cur = 20, .rlim_max = old.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string error = ErrorOf(path);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(error,
              MatchesRegex("write: " + path.native() + ": got 20 of [0-9]+ bytes written.* kept: File too large"));
  EXPECT_EQ(Content(path), before);
  EXPECT_EQ(FileCount(), 1);
}

TEST_F(Pictures, ScatterShowsEveryLabelAndNothingThatIsNotFinite) {
  std::vector<float> x, y;
  std::vector<std::uint8_t> labels;
  for (const std::uint8_t label : std::vector<std::uint8_t>{0, 3, 9}) {
    for (int i = 0; i < 50; ++i) {  // on top of each other: the translucent dots add up
      x.push_back(label);
      y.push_back(-2);
      labels.push_back(label);
    }
  }
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    x.push_back(bad);
    y.push_back(0);
    labels.push_back(5);
  }
  const std::filesystem::path path = directory_ / "latent.png";
  WriteScatter(path, {.title = "Latent", .x = x, .y = y, .labels = labels});
  const Picture picture = ReadPicture(path);
  EXPECT_EQ(picture.At(0, 0), 0xFFFFFFU);
  const std::int64_t in_legend = picture.Count(kPalette[5]);
  EXPECT_GT(in_legend, 100);
  for (const std::size_t label : {0U, 3U, 9U}) EXPECT_GT(picture.Count(kPalette[label]), in_legend) << label;
  EXPECT_EQ(picture.Count(kPalette[1]), 0);
}

TEST_F(Pictures, CurvesShowOneLineASeries) {
  const std::filesystem::path path = directory_ / "curves.png";
  WriteCurves(path, {.title = "Training",
                     .series = {{"a", std::vector<double>(100, 10)}, {"b", std::vector<double>(100, 20)}}});
  const Picture picture = ReadPicture(path);
  std::array<std::vector<int>, 2> rows;  // rows of the picture that are mostly of the colour of the series
  for (int y = 0; y < picture.height; ++y) {
    for (std::size_t series = 0; series < 2; ++series) {
      int count = 0;
      for (int x = 0; x < picture.width; ++x) count += picture.At(x, y) == Rgb(kPalette[series]);
      if (count > picture.width / 2) rows[series].push_back(y);
    }
  }
  ASSERT_FALSE(rows[0].empty() || rows[1].empty());
  EXPECT_GT(rows[0].front(), rows[1].back());  // 10 stands below 20
}

TEST_F(Pictures, BarsAreAsHighAsTheirValues) {
  const std::filesystem::path path = directory_ / "bars.png";
  const double none = std::nan("");
  WriteBars(path, {.title = "Bars", .series = {{"a", {10, none, 5}}, {"b", {none, 2.5, none}}}});
  const Picture picture = ReadPicture(path);
  std::map<std::uint32_t, std::map<int, int>> heights;  // of each colour, how many columns have so many pixels of it
  for (int x = 0; x < picture.width; ++x) {
    std::map<std::uint32_t, int> height;
    for (int y = 0; y < picture.height; ++y) ++height[picture.At(x, y)];
    for (const std::size_t series : {0U, 1U}) ++heights[Rgb(kPalette[series])][height[Rgb(kPalette[series])]];
  }
  const auto bars = [&](std::size_t series) {  // what is as wide as a bar, but for columns without the colour
    std::vector<int> found;
    for (const auto& [height, columns] : heights[Rgb(kPalette[series])]) {
      if (height > 0 && columns > 300) found.push_back(height);
    }
    return found;
  };
  ASSERT_EQ(bars(0).size(), 2U);
  ASSERT_EQ(bars(1).size(), 1U);
  EXPECT_NEAR(bars(0)[1], 2 * bars(0)[0], 4);
  EXPECT_NEAR(bars(0)[1], 4 * bars(1)[0], 8);
}

TEST_F(Pictures, DrawsWhateverItIsGiven) {
  const double infinity = std::numeric_limits<double>::infinity(), largest = std::numeric_limits<double>::max();
  const std::vector<std::vector<double>> values = {{},
                                                   {0},
                                                   {1e-320},
                                                   {5, 5},
                                                   {-largest, largest},
                                                   {1e200, -1e200},
                                                   {std::nan(""), infinity, -infinity},
                                                   {1, 1 + 1e-15}};
  const std::filesystem::path path = directory_ / "picture.png";
  for (const std::vector<double>& series : values) {
    EXPECT_NO_THROW(WriteCurves(path, {.title = "bad \xff\n text", .series = {{"", series}}}));
    EXPECT_NO_THROW(WriteBars(path, {.series = {{"", series}}}));
    const std::vector<float> points(series.begin(), series.end());
    EXPECT_NO_THROW(WriteScatter(path, {.x = points, .y = points}));
    EXPECT_GT(ReadPicture(path).width, 0);
  }
}

TEST(Chart, PlacesTheEndsOfItsAxesAtTheEndsOfItsArea) {
  const Chart chart({.x = {.low = -1, .high = 3}, .y = {.low = 10, .high = 20}, .width = 400, .height = 300});
  EXPECT_DOUBLE_EQ(chart.X(3) - chart.X(-1), 400);
  EXPECT_DOUBLE_EQ(chart.X(1) - chart.X(-1), 200);
  EXPECT_DOUBLE_EQ(chart.Y(10) - chart.Y(20), 300);  // upwards
}

TEST(Ticks, AreRoundNumbersInTheRange) {
  const struct {
    Axis axis;
    int most;
    std::vector<std::string> texts;
  } cases[] = {
      {{.low = 0, .high = 1}, 12, {"0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1.0"}},
      {{.low = 0, .high = 1}, 6, {"0", "0.2", "0.4", "0.6", "0.8", "1.0"}},
      {{.low = -4.2, .high = 3.9}, 5, {"−4", "−2", "0", "2"}},
      {{.low = 97, .high = 153}, 8, {"100", "110", "120", "130", "140", "150"}},
      {{.low = 0.9, .high = 3.1, .whole_numbers = true}, 12, {"1", "2", "3"}},
      {{.low = 0.9, .high = 1.1, .whole_numbers = true}, 12, {"1"}},
      {{.low = 0, .high = 0.0004}, 5, {"0", "0.0001", "0.0002", "0.0003", "0.0004"}},
      {{.low = -1.6e30, .high = 1.6e30}, 8, {"−1.5e+30", "−1.0e+30", "−5.0e+29", "0", "5.0e+29", "1.0e+30", "1.5e+30"}},
      {{.low = 0, .high = 2e-9}, 3, {"0", "1e-09", "2e-09"}},
  };
  for (const auto& [axis, most, texts] : cases) {
    EXPECT_EQ(TickTexts(Ticks(axis, most)), texts) << axis.low << " … " << axis.high;
  }
}

TEST(Ticks, DifferFromEachOtherAndAreNeverTooMany) {
  for (double low = -1000; low < 1000; low += 13.7) {
    for (const double span : {1e-9, 3e-4, 0.7, 1.0, 19.0, 2e3, 9e7, 1e20}) {
      for (const int most : {2, 5, 12}) {
        std::vector<std::string> texts = TickTexts(Ticks({.low = low, .high = low + span}, most));
        EXPECT_LE(texts.size(), static_cast<std::size_t>(most));
        EXPECT_EQ(std::ranges::adjacent_find(texts), texts.end()) << low << " " << span << " " << most;
      }
    }
  }
}

}  // namespace
}  // namespace weft
