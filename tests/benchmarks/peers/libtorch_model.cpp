// The training step of torch_model.py in PyTorch's C++ API: what remains of its time once Python is out of the way.
//
//   libtorch_model THREADS MODELS        MODELS: encoder.pt and decoder.pt as torch_model.py --export writes them
//   libtorch_model THREADS --start-up    a line behind the first step, then some more, then the end
#include "weft/tests/benchmarks/answers.h"

#include <torch/script.h>
#include <torch/torch.h>

#include <cstdio>
#include <string>
#include <vector>

namespace {

using torch::Tensor;
namespace nn = torch::nn;

constexpr int64_t kPixels = 784, kHidden = 512, kLatent = 2, kBatch = 128, kBatches = 64;

nn::Sequential Body(int64_t inputs) {
  nn::Sequential layers;
  for (int i = 0; i < 3; ++i) {
    layers->push_back(nn::Linear(i == 0 ? inputs : kHidden, kHidden));
    layers->push_back(nn::BatchNorm1d(kHidden));
    layers->push_back(nn::ReLU(nn::ReLUOptions(true)));
  }
  return layers;
}

struct VaeImpl : nn::Module {
  nn::Sequential encoder = register_module("encoder", Body(kPixels));
  nn::Linear mean = register_module("mean", nn::Linear(kHidden, kLatent));
  nn::Linear log_variance = register_module("log_variance", nn::Linear(kHidden, kLatent));
  nn::Sequential decoder = register_module("decoder", Body(kLatent));
  nn::Linear logits = register_module("logits", nn::Linear(kHidden, kPixels));

  Tensor forward(const Tensor& x) {
    const Tensor h = encoder->forward(x), m = mean(h), v = log_variance(h);
    const Tensor y = logits(decoder->forward(m + torch::exp(0.5 * v) * torch::randn_like(m)));
    const Tensor reconstruction = torch::binary_cross_entropy_with_logits(y, x, {}, {}, at::Reduction::Sum);
    return (reconstruction + 0.5 * (m * m + v.exp() - 1 - v).sum()) / x.size(0);
  }
};
TORCH_MODULE(Vae);

// NAME_ms_1, NAME_ms_128, NAME_ms_1024.
void AddInference(Figures& figures, const std::string& models, const std::string& name, int64_t width) {
  torch::jit::Module net = torch::jit::load(models + "/" + name + ".pt");
  for (const int64_t batch : {1, 128, 1024}) {
    const std::vector<torch::jit::IValue> input = {torch::rand({batch, width})};
    figures.emplace_back(name + "_ms_" + std::to_string(batch), [net, input](double seconds) mutable {
      const c10::InferenceMode inference;
      return MedianMilliseconds([&] { net.forward(input); }, seconds);
    });
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) return std::fprintf(stderr, "usage: libtorch_model THREADS MODELS | --start-up\n"), 2;
  const std::string models = arguments[2];
  const bool start_up = models == "--start-up";
  torch::set_num_threads(std::stoi(arguments[1]));
  torch::manual_seed(1);
  Vae model;
  torch::optim::Adam adam(model->parameters(), torch::optim::AdamOptions(1e-3));
  Tensor images = torch::rand({(start_up ? 1 : kBatches) * kBatch, kPixels});
  images *= (torch::rand_like(images) < 0.2).to(torch::kFloat32);
  const std::vector<Tensor> batches = images.split(kBatch);
  size_t next = 0;
  const auto step = [&] {
    for (Tensor& parameter : model->parameters()) parameter.mutable_grad() = Tensor();
    model->forward(batches[next++ % batches.size()]).backward();
    adam.step();
  };
  if (start_up) {
    step();
    std::puts("first step");
    std::fflush(stdout);
    for (int i = 0; i < 20; ++i) step();
    return 0;
  }
  Figures figures = {{"train_ms", [&](double seconds) { return MedianMilliseconds(step, seconds); }}};
  AddInference(figures, models, "encoder", kPixels);
  AddInference(figures, models, "decoder", kLatent);
  Answer(TORCH_VERSION, figures);
}
