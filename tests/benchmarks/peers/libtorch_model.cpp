// The training step of torch_model.py in PyTorch's C++ API: what remains of its time once Python is out of the way. One
// JSON line of median times in ms.
//
//   libtorch_model THREADS MODELS        MODELS: encoder.pt and decoder.pt as torch_model.py --export writes them
//   libtorch_model THREADS --start-up    a line behind the first step, then some more, then the end
#include <torch/script.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
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

double MedianMilliseconds(const std::function<void()>& run, double seconds) {
  const auto times_for = [&run](double limit) {
    std::vector<double> times;
    for (double spent = 0; times.size() < 5 || spent < 1e3 * limit; spent += times.back()) {
      const auto start = std::chrono::steady_clock::now();
      run();
      times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    }
    return times;
  };
  times_for(seconds / 5);
  std::vector<double> times = times_for(seconds);
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

void PrintInference(const std::string& models, const std::string& name, int64_t width) {
  const c10::InferenceMode inference;
  torch::jit::Module net = torch::jit::load(models + "/" + name + ".pt");
  for (const int64_t batch : {1, 128, 1024}) {
    const std::vector<torch::jit::IValue> input = {torch::rand({batch, width})};
    std::printf(", \"%s_ms_%d\": %.4f", name.c_str(), static_cast<int>(batch),
                MedianMilliseconds([&] { net.forward(input); }, 0.6));
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
  std::printf("{\"version\": \"%s\", \"train_ms\": %.4f", TORCH_VERSION, MedianMilliseconds(step, 1));
  PrintInference(models, "encoder", kPixels);
  PrintInference(models, "decoder", kLatent);
  std::printf("}\n");
}
