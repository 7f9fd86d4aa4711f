// Models of any size by weft: median times of training steps, and of inference by the autoencoder's halves (in f32),
// for whoever asks (answers.h).
//
//   weft_model --threads 2 --inference
//   weft_model --model vae --hidden 1024 --dtype float64
//   weft_model --model classifier --hidden 64 --layers 32
//   weft_model --start-up          # a line behind the first step, then some more, then the end
#include <algorithm>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "weft/examples/vae/bench.h"
#include "weft/examples/vae/machine.h"
#include "weft/graph/runtime/session.h"
#include "weft/models/layers.h"
#include "weft/models/training/optimizers.h"
#include "weft/models/variational_autoencoder.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"
#include "weft/tests/benchmarks/answers.h"

namespace weft {
namespace {

constexpr int64_t kPixels = 784, kClasses = 10;

struct Options {
  std::string model = "vae", dtype = "float32";
  int64_t hidden = 512, layers = 3, latent = 2, batch = 128;
  int threads = 1;
  bool inference = false, start_up = false;
};

// What a batch is fed to, and what is to become small.
struct Model {
  Node x;
  std::vector<Node> labels;  // one, or none
  Node loss;
};

VaeConfig ConfigOf(const Options& options, DType dtype) {
  return {.pixels = kPixels,
          .hidden_units = options.hidden,
          .hidden_layers = static_cast<int>(options.layers),
          .latent_units = options.latent,
          .initializer = Initializer::kTorch,
          .dtype = dtype};
}

Model BuildVae(Graph& graph, const Options& options, DType dtype) {
  const VariationalAutoencoder vae = BuildVariationalAutoencoder(graph, ConfigOf(options, dtype));
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

// One half of the autoencoder alone.
class Half {
 public:
  Half(const Options& options, bool is_encoder)
      : input_(Placeholder(graph_, "Input", {kBatch, is_encoder ? kPixels : options.latent})) {
    const VaeConfig config = ConfigOf(options, DType::kFloat32);
    if (is_encoder) {
      const Encoder encoder = BuildEncoder(input_, config);
      fetches_ = {encoder.mean, encoder.log_variance};
    } else {
      fetches_ = {BuildDecoder(input_, config).mean};
    }
    Initialize(graph_, variables_);
    session_ = std::make_unique<Session>(graph_, variables_, SessionOptions{.threads = options.threads});
  }

  PreparedRun Prepare(int64_t batch) {
    PreparedRun run = session_->Prepare(fetches_, {.batch = batch});
    std::ranges::copy(RandomImages(batch, input_.shape()[1].length()), run.Input<float>(input_).begin());
    return run;
  }

 private:
  Graph graph_;
  Node input_;
  std::vector<Node> fetches_;
  VariableStore variables_;
  std::unique_ptr<Session> session_;
};

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
  Figures figures = {{"train_ms", [&](double seconds) { return MedianMilliseconds(step, seconds); }}};
  std::vector<std::unique_ptr<Half>> halves;
  if (options.inference) {
    for (const std::string name : {"encoder", "decoder"}) {
      halves.push_back(std::make_unique<Half>(options, name == "encoder"));
      for (const int64_t batch : {1, 128, 1024}) {
        const auto half_run = std::make_shared<PreparedRun>(halves.back()->Prepare(batch));
        figures.emplace_back(fmt::format("{}_ms_{}", name, batch), [half_run](double seconds) {
          return MedianMilliseconds([&] { half_run->Run(); }, seconds);
        });
      }
    }
  }
  Answer("weft", figures);
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
  app.add_flag("--inference", options.inference);
  app.add_flag("--start-up", options.start_up);
  CLI11_PARSE(app, count, arguments);
  try {
    weft::Run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weft_model: error: %s\n", error.what());
    return 1;
  }
}
