// Figures of the latent variable on posteriors made by hand, and what lies between two images.
#include "weft/examples/vae/latent_axes.h"

#include <gtest/gtest.h>

#include <cmath>

#include "weft/examples/vae/run_images.h"
#include "weft/examples/vae/sheets.h"
#include "weft/tests/examples/tool_test.h"

namespace weft {
namespace {

TEST(LatentAxes, ActiveIsWhoseMeanMoves) {
  // Four images; the mean of axis 0 is ±1, that of axis 1 ±0.0999, that of axis 2 ±0.1001, that of axis 3 always 5.
  const Tensor mean = Tensor::Of<float>(
      {4, 4}, {1, 0.0999F, 0.1001F, 5, -1, -0.0999F, -0.1001F, 5, 1, 0.0999F, 0.1001F, 5, -1, -0.0999F, -0.1001F, 5});
  const std::vector<LatentAxis> axes = LatentAxesOf({.mean = mean, .log_variance = Tensor(DType::kFloat32, {4, 4})});
  const double variances[] = {1, 0.00998001, 0.01002001, 0};
  const bool active[] = {true, false, true, false};
  ASSERT_EQ(axes.size(), 4U);
  for (size_t axis = 0; axis < 4; ++axis) {
    EXPECT_NEAR(axes[axis].variance, variances[axis], 1e-8) << axis;
    EXPECT_EQ(axes[axis].is_active(), active[axis]) << axis;
  }
}

TEST(LatentAxes, DivergenceIsThatOfTheFormula) {
  EXPECT_EQ(DivergenceOf(0, 0), 0);
  EXPECT_DOUBLE_EQ(DivergenceOf(3, 0), 4.5);
  EXPECT_DOUBLE_EQ(DivergenceOf(0, -2), (std::exp(-2) + 1) / 2);
  const std::vector<LatentAxis> axes = LatentAxesOf(
      {.mean = Tensor::Of<float>({2, 2}, {1, 0, 3, 0}), .log_variance = Tensor::Of<float>({2, 2}, {0, 0, 0, -2})});
  EXPECT_DOUBLE_EQ(axes[0].divergence, (0.5 + 4.5) / 2);
  EXPECT_DOUBLE_EQ(axes[1].divergence, (std::exp(-2) + 1) / 4);
}

TEST(LatentAxes, OfNoImageAreZeros) {
  const Tensor none(DType::kFloat32, {0, 3});
  const std::vector<LatentAxis> axes = LatentAxesOf({.mean = none, .log_variance = none});
  EXPECT_EQ(axes.size(), 3U);
  EXPECT_EQ(ActiveCount(axes), 0U);
}

class LatentSpace : public ToolTest {};

TEST_F(LatentSpace, InterpolationEndsInTheReconstructions) {
  const ModelFile file = OpenModel(model());
  const Images images = ReadImagesFor(file.model, {.from = model(), .data = data()}).images;
  VariableStore variables;
  LatentEncoder encoder(file.model, variables, {});
  RestorePart(file, encoder.graph(), "Encoder", variables);
  PictureDecoder decoder(file.model, variables, {});
  RestorePart(file, decoder.graph(), "Decoder", variables);

  const Tensor means = encoder.Of(images).mean, pictures = decoder.Pictures(means);
  for (const auto& [a, b] : {std::pair(0, 59), {7, 3}, {5, 5}}) {
    const Tensor line = LatentLine(means.Rows(a, a + 1).values<float>(), means.Rows(b, b + 1).values<float>(), 6);
    const Tensor strip = decoder.Pictures(line);
    EXPECT_TRUE(strip.Rows(0, 1) == pictures.Rows(a, a + 1)) << a;
    EXPECT_TRUE(strip.Rows(5, 6) == pictures.Rows(b, b + 1)) << b;
    EXPECT_EQ(strip.Rows(2, 3) == strip.Rows(0, 1), a == b);
  }
}

}  // namespace
}  // namespace weft
