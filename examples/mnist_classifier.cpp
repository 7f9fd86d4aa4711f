// Tells handwritten digits apart: a network of one hidden layer with softmax, trained on MNIST for three epochs.
//
//   mnist_classifier [DIRECTORY]   idx files; MNIST of the source tree by default
#include <cstdio>
#include <exception>
#include <filesystem>

#include "weft/examples/vae/idx.h"
#include "weft/models/layers.h"
#include "weft/models/training/optimizers.h"
#include "weft/models/training/trainer.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

constexpr int64_t kClasses = 10;

// Row i is 1 at the label of image i, 0 elsewhere.
Tensor OneHot(const std::vector<uint8_t>& labels) {
  Tensor rows(DType::kFloat32, {static_cast<int64_t>(labels.size()), kClasses});
  for (size_t i = 0; i < labels.size(); ++i) rows.values<float>()[i * kClasses + labels[i]] = 1;
  return rows;
}

void TrainAndTest(const std::filesystem::path& directory) {
  const LabelledImages train = ReadIdxSplit(directory, "train"), test = ReadIdxSplit(directory, "test");
  const Images& images = train.images;

  Graph graph;
  Node x = Placeholder(graph, "X", {kBatch, images.rows * images.columns});
  Node label = Placeholder(graph, "Label", {kBatch, kClasses});
  Node h =
      Relu(BatchNormalization("Normalization", FullyConnected("Hidden", x, 256, {.initializer = Initializer::kHe})));
  Node log_probability = LogSoftmax(FullyConnected("Logits", h, kClasses, {.initializer = Initializer::kGlorot}));
  Node loss = ReduceMean(-ReduceSum(label * log_probability, kLastAxis));
  // An image is told right if no class is more probable than its own.
  Node own = ReduceSum(label * log_probability, kLastAxis);
  Node right = GreaterEqual(own, ReduceMax(log_probability, kLastAxis));
  Minimize(loss, Adam{});

  VariableStore variables;
  Session session(graph, variables);
  Initialize(graph, variables);

  const Tensor train_labels = OneHot(train.labels), test_labels = OneHot(test.labels);
  const Objective objective = {.loss = loss, .watched = {{"accuracy", right}}};
  const Dataset train_set = {{x, Rows::OfBytes(images.pixels, images.count)}, {label, Rows::Of(train_labels)}};
  const Dataset test_set = {{x, Rows::OfBytes(test.images.pixels, test.images.count)}, {label, Rows::Of(test_labels)}};
  Fit(session, objective, train_set,
      {.epochs = 3, .batch = 128, .validation = test_set, .after_epoch = [](const EpochReport& epoch) {
         std::printf("epoch %d: training loss %.4f, test loss %.4f, test accuracy %.2f %%\n",
                     static_cast<int>(epoch.epoch), epoch.training.loss, epoch.validation->loss,
                     100 * epoch.validation->watched[0]);
       }});
}

}  // namespace
}  // namespace weft

int main(int argc, char** argv) {
  try {
    weft::TrainAndTest(argc > 1 ? argv[1] : WEFT_SOURCE_DIR "/examples/data/mnist");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mnist_classifier: error: %s\n", error.what());
    return 1;
  }
}
