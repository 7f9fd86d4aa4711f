// Running over images in batches.
#include "weft/examples/vae/parts.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "weft/examples/vae/network.h"
#include "weft/examples/vae/run_images.h"
#include "weft/models/training/dataset.h"

namespace weft {

Tensor ImageTensor(const Images& images, int64_t begin, int64_t count) {
  const Rows rows = Rows::OfBytes(images.pixels, images.count);
  Tensor tensor(DType::kFloat32, {count, rows.width()});
  std::vector<int64_t> which(static_cast<size_t>(count));
  std::iota(which.begin(), which.end(), begin);
  rows.Gather(which, tensor.dtype(), tensor.bytes());
  return tensor;
}

LatentEncoder::LatentEncoder(const Model& model, VariableStore& store, const SessionOptions& options)
    : vae_(BuildAutoencoder(graph_, model)), session_(graph_, store, options) {}

Posterior LatentEncoder::Of(const Images& images, int64_t begin, int64_t count) {
  const Tensor x = ImageTensor(images, begin, count);
  std::vector<Tensor> results = session_.Run({{vae_.x, x}}, {vae_.encoder.mean, vae_.encoder.log_variance});
  return {.mean = std::move(results[0]), .log_variance = std::move(results[1])};
}

Posterior LatentEncoder::Of(const Images& images) {
  constexpr int64_t kAtOnce = 1000;
  const Shape shape = {images.count, vae_.encoder.mean.shape()[1]};
  Posterior all = {.mean = Tensor(DType::kFloat32, shape), .log_variance = Tensor(DType::kFloat32, shape)};
  size_t done = 0;  // numbers
  for (int64_t begin = 0; begin < images.count; begin += kAtOnce) {
    const Posterior some = Of(images, begin, std::min(kAtOnce, images.count - begin));
    std::ranges::copy(some.mean.values<float>(), all.mean.values<float>().subspan(done).begin());
    std::ranges::copy(some.log_variance.values<float>(), all.log_variance.values<float>().subspan(done).begin());
    done += some.mean.values<float>().size();
  }
  return all;
}

PictureDecoder::PictureDecoder(const Model& model, VariableStore& store, const SessionOptions& options)
    : vae_(BuildAutoencoder(graph_, model)), session_(graph_, store, options) {}

Application::Application(const SourceOptions& source)
    : machine(source.machine),
      file(OpenModel(source.from)),
      images(ReadImagesFor(file.model, source)),
      encoder(file.model, variables, {.threads = machine.threads()}),
      decoder(file.model, variables, {.threads = machine.threads()}) {
  RestorePart(file, encoder.graph(), "Encoder", variables);
  RestorePart(file, decoder.graph(), "Decoder", variables);
}

}  // namespace weft
