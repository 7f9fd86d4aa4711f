// Training steps of models of any size by weft: the median time of one, as one JSON line.
//
//   weft_models --model vae --hidden 1024 --dtype float64 --threads 2
//   weft_models --model classifier --hidden 64 --layers 32
//   weft_models --start-up          # a line behind the first step, then some more, then the end
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "weft/examples/vae/bench.h"
#include "weft/examples/vae/machine.h"
#include "weft/examples/vae/report.h"
#include "weft/graph/runtime/session.h"
#include "weft/models/layers.h"
#include "weft/models/training/optimizers.h"
#include "weft/models/variational_autoencoder.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

constexpr int64_t kPixels = 784, kClasses = 10;

struct Options {
  std::string model = "vae", dtype = "float32";
  int64_t hidden = 512, layers = 3, latent = 2, batch = 128;
  int threads = 1;
  double seconds = 1;
  bool start_up = false;
};

// What a batch is fed to, and what is to become small.
struct Model {
  Node x;
  std::vector<Node> labels;  // one, or none
  Node loss;
};

Model BuildVae(Graph& graph, const Options& options, DType dtype) {
  const VariationalAutoencoder vae =
      BuildVariationalAutoencoder(graph, {.pixels = kPixels,
                                          .hidden_units = options.hidden,
                                          .hidden_layers = static_cast<int>(options.layers),
                                          .latent_units = options.latent,
                                          .initializer = Initializer::kTorch,
                                          .dtype = dtype});
  return {vae.x, {}, vae.loss.total};
}

// Layers with relu, ten classes, cross entropy of a softmax.
Model BuildClassifier(Graph& graph, const Options& options, DType dtype) {
  const Node x = Placeholder(graph, "X", {kBatch, kPixels}, {.dtype = dtype});
  const Node label = Placeholder(graph, "Label", {kBatch, kClasses}, {.dtype = dtype});
  Node h = x;
  for (int64_t i = 0; i < options.layers; ++i)
    h = Relu(FullyConnected(h, options.hidden, {.initializer = Initializer::kHe}));
  const Node log_probability = LogSoftmax(FullyConnected("Logits", h, kClasses, {.initializer = Initializer::kGlorot}));
  return {x, {label}, ReduceMean(-ReduceSum(label * log_probability, kLastAxis))};
}

std::vector<float> OneHot(int64_t rows) {
  std::vector<float> labels(static_cast<size_t>(rows * kClasses));
  for (size_t row = 0; row < static_cast<size_t>(rows); ++row) labels[row * kClasses + row % kClasses] = 1;
  return labels;
}

// Batches in the model's numbers, and one after the other.
class Batches {
 public:
  Batches(PreparedRun& run, Node node, const std::vector<float>& numbers)
      : input_(run.Input(node)),
        all_(Tensor::Of<float>({static_cast<int64_t>(numbers.size())}, numbers).Cast(node.dtype())) {}
  void Feed(int64_t batch) {
    const std::span<const std::byte> bytes = std::as_const(all_).bytes();
    const size_t count = bytes.size() / input_.size();
    std::ranges::copy(bytes.subspan(static_cast<size_t>(batch) % count * input_.size(), input_.size()), input_.begin());
  }

 private:
  std::span<std::byte> input_;
  Tensor all_;
};

double Milliseconds(const std::function<void()>& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void Run(const Options& options) {
  const DType dtype = options.dtype == "float64" ? DType::kFloat64 : DType::kFloat32;
  const Machine machine({.threads = options.threads});
  Graph graph;
  const Model model = options.model == "vae" ? BuildVae(graph, options, dtype) : BuildClassifier(graph, options, dtype);
  Minimize(model.loss, Adam{});
  VariableStore variables(graph);
  Initialize(graph, variables, {.threads = options.threads});
  Session session(graph, variables, {.threads = options.threads});
  PreparedRun run = session.Prepare(
      {model.loss}, {.mode = Mode::kTraining, .updates = true, .batch = options.batch, .guards = {model.loss}});

  const int64_t count = options.start_up ? 1 : std::clamp<int64_t>(8192 / options.batch, 1, 64);
  Batches images(run, model.x, RandomImages(count * options.batch, kPixels));
  std::vector<Batches> labels;
  for (const Node& label : model.labels) labels.emplace_back(run, label, OneHot(options.batch));
  int64_t next = 0;
  const auto step = [&] {
    images.Feed(next++);
    for (Batches& each : labels) each.Feed(0);
    run.Run();
  };

  if (options.start_up) {
    step();
    std::puts("first step");
    std::fflush(stdout);
    for (int i = 0; i < 20; ++i) step();
    return;
  }
  double spent = 0;
  for (int i = 0; i < 3 || spent < 200 * options.seconds; ++i) spent += Milliseconds(step);
  std::vector<double> times;
  for (spent = 0; times.size() < 5 || spent < 1000 * options.seconds; spent += times.back())
    times.push_back(Milliseconds(step));
  std::ranges::sort(times);
  std::puts(LineOf({{"train_ms", times[times.size() / 2]}, {"steps", times.size()}}).c_str());
}

}  // namespace
}  // namespace weft

int main(int count, char** arguments) {
  weft::Options options;
  CLI::App app("training steps by weft");
  app.add_option("--model", options.model)->check(CLI::IsMember({"vae", "classifier"}));
  app.add_option("--dtype", options.dtype)->check(CLI::IsMember({"float32", "float64"}));
  app.add_option("--hidden", options.hidden);
  app.add_option("--layers", options.layers);
  app.add_option("--latent", options.latent);
  app.add_option("--batch", options.batch);
  app.add_option("--threads", options.threads);
  app.add_option("--seconds", options.seconds);
  app.add_flag("--start-up", options.start_up);
  CLI11_PARSE(app, count, arguments);
  try {
    weft::Run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weft_models: error: %s\n", error.what());
    return 1;
  }
}
