// Splits, and the options that depend on their sizes.
#include "weft/examples/vae/run_images.h"

#include <fmt/format.h>

#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/output.h"
#include "weft/examples/vae/printable.h"

namespace weft {
namespace {

LabelledImages ReadSplit(const std::filesystem::path& directory, std::string_view split) {
  LabelledImages images = ReadIdxSplit(directory, split);
  for (const std::string& note : images.notes) Note(note);
  return images;
}

void RequireSizes(const TrainOptions& options, int64_t images) {
  const auto require = [&](const char* name, int64_t got, int64_t low, int64_t high, const char* what) {
    if (got >= low && got <= high) return;
    throw UsageError(fmt::format("value: {}: got {}, expected a whole number from {} to {}, {} in {}", name, got, low,
                                 high, what, Printable(options.data.native())));
  };
  require("--batch", options.step.batch, 1, images, "the number of training images");
  require("--validation", options.validation, 0, images - 1, "fewer than the training images");
  require("--batch", options.step.batch, 1, images - options.validation,
          "the number of training images without those held out");
}

Rows Part(const Images& images, int64_t begin, int64_t end) {
  const int64_t pixels = images.rows * images.columns;
  const std::span<const uint8_t> all = images.pixels;
  return Rows::OfBytes(all.subspan(static_cast<size_t>(begin * pixels), static_cast<size_t>((end - begin) * pixels)),
                       end - begin);
}

}  // namespace

Rows RunImages::Training() const { return Part(train.images, held_out, train.images.count); }
Rows RunImages::Validation() const { return Part(train.images, 0, held_out); }
Rows RunImages::Test() const { return Part(test.images, 0, test.images.count); }

RunImages ReadRunImages(const TrainOptions& options) {
  RunImages images = {.train = ReadSplit(options.data, "train"),
                      .test = ReadSplit(options.data, "test"),
                      .held_out = options.validation};
  if (images.train.images.pixels == images.test.images.pixels) {
    Note(fmt::format("warning: images: {}: got the same for training and test, expected others",
                     Printable(options.data.native())));
  }
  RequireSizes(options, images.train.images.count);
  RequireImageSize(images.test.images, options.data, images.rows(), images.columns(), "InputData/X");
  return images;
}

LabelledImages ReadImagesFor(const Model& model, const SourceOptions& source) {
  LabelledImages images = ReadSplit(source.data, source.split);
  RequireImageSize(images.images, source.data, model.rows, model.columns, "InputData/X");
  return images;
}

void RequireImage(std::string_view option, int64_t index, const LabelledImages& images, const SourceOptions& source) {
  if (index < images.images.count) return;
  throw UsageError(fmt::format("value: {}: got {}, expected a whole number from 0 to {}, an image of {}", option, index,
                               images.images.count - 1, source.split));
}

}  // namespace weft
