// The images that a command reads: those of a training run, or a split that a model is applied to. Notes about the
// files go to stderr.
#pragma once

#include "weft/examples/vae/idx.h"
#include "weft/examples/vae/model_file.h"
#include "weft/examples/vae/options.h"
#include "weft/models/training/dataset.h"

namespace weft {

// The first `held_out` of the training images are for validation.
struct RunImages {
  LabelledImages train, test;
  int64_t held_out;

  int64_t rows() const { return train.images.rows; }
  int64_t columns() const { return train.images.columns; }
  Rows Training() const;
  Rows Validation() const;
  Rows Test() const;
};

// Throws DataError, and UsageError for options that ask for more images than there are.
RunImages ReadRunImages(const TrainOptions& options);

// Of the split that a model is applied to. Throws DataError, also if they are not of the model's size.
LabelledImages ReadImagesFor(const Model& model, const SourceOptions& source);

// Throws UsageError naming `option` unless there is an image of this index.
void RequireImage(std::string_view option, int64_t index, const LabelledImages& images, const SourceOptions& source);

}  // namespace weft
