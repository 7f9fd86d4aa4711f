// The work that a reference program in another framework does, too: a step of Adam on batches of random images that
// take turns, then each half of the model alone.
#include "weft/examples/vae/bench.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <vector>

#include <fmt/format.h>

#include "weft/examples/vae/machine.h"
#include "weft/examples/vae/model_size.h"
#include "weft/examples/vae/network.h"
#include "weft/examples/vae/report.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int64_t kBatches = 64;
constexpr int kWarmUpSteps = 20, kSteps = 100;

double Seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

template <class Action>
double Milliseconds(const Action& action) {
  const Clock::time_point start = Clock::now();
  action();
  return 1e3 * Seconds(Clock::now() - start);
}

// The milliseconds of each step, sorted.
std::vector<double> StepTimes(const BenchOptions& options, int threads) {
  Graph graph;
  const StepOptions step = {.batch = options.batch, .clip_norm = 0};
  const VaeConfig config = ConfigOf(options.model, step);
  RequireMemory({.config = config}, Memory::kTraining);
  const TrainableModel model = BuildTrainable(graph, {.config = config}, step);
  VariableStore variables(graph);
  Initialize(graph, variables);
  Session session(graph, variables, {.threads = threads});
  const Node loss = model.vae.loss.total;
  PreparedRun run =
      session.Prepare({model.vae.loss.reconstruction, model.vae.loss.divergence},
                      {.mode = Mode::kTraining, .updates = true, .batch = options.batch, .guards = {loss}});

  const std::vector<float> images = RandomImages(kBatches * options.batch, config.pixels);
  const std::span<float> input = run.Input<float>(model.vae.x);
  std::vector<double> times;
  for (size_t i = 0; i < kWarmUpSteps + kSteps; ++i) {
    const double time = Milliseconds([&] {
      std::ranges::copy(std::span(images).subspan(i % kBatches * input.size(), input.size()), input.begin());
      run.Run();
    });
    if (i >= kWarmUpSteps) times.push_back(time);
  }
  std::ranges::sort(times);
  return times;
}

// The median over 0.6 s, and at least 20 runs, after a fifth of that to warm up.
double MedianMilliseconds(PreparedRun& run) {
  const auto run_for = [&run](double seconds, size_t least) {
    std::vector<double> times;
    const Clock::time_point start = Clock::now();
    while (times.size() < least || Seconds(Clock::now() - start) < seconds)
      times.push_back(Milliseconds([&run] { run.Run(); }));
    return times;
  };
  run_for(0.12, 1);
  std::vector<double> times = run_for(0.6, 20);
  std::ranges::sort(times);
  return times[times.size() / 2];
}

// Adds "NAME_ms_1", "NAME_ms_128", "NAME_ms_1024".
void AddInferenceTimes(Json& results, const std::string& name, Graph& graph, Node input,
                       std::initializer_list<Node> fetches, int threads) {
  VariableStore variables(graph);
  Initialize(graph, variables);
  Session session(graph, variables, {.threads = threads});
  for (int64_t batch : {1, 128, 1024}) {
    PreparedRun run = session.Prepare(fetches, {.batch = batch});
    std::ranges::copy(RandomImages(batch, input.shape()[1].length()), run.Input<float>(input).begin());
    results[fmt::format("{}_ms_{}", name, batch)] = MedianMilliseconds(run);
  }
}

}  // namespace

std::vector<float> RandomImages(int64_t count, int64_t pixels) {
  std::mt19937_64 bits(1);
  const auto uniform = [&bits] { return static_cast<float>(bits() >> 40) * 0x1p-24F; };
  std::vector<float> images(static_cast<size_t>(ElementCount(Shape{count, pixels})));
  for (float& pixel : images) pixel = uniform() < 0.2F ? uniform() : 0;
  return images;
}

void BenchCommand(const BenchOptions& options, Output& output) {
  const Machine machine(options.machine);
  const std::vector<double> steps = StepTimes(options, machine.threads());
  Json results = {{"threads", machine.threads()},
                  {"target", machine.target()},
                  {"batch", options.batch},
                  {"latent", options.model.latent},
                  {"hidden", options.model.hidden},
                  {"layers", options.model.layers},
                  {"train_ms", steps[steps.size() / 2]},
                  {"train_ms_p10", steps[steps.size() / 10]},
                  {"train_ms_p90", steps[steps.size() * 9 / 10]}};

  const VaeConfig config = ConfigOf(options.model, {});
  Graph encoding, decoding;
  const Node x = Placeholder(encoding, "InputData/X", {kBatch, config.pixels});
  const Encoder encoder = BuildEncoder(x, config);
  AddInferenceTimes(results, "encoder", encoding, x, {encoder.mean, encoder.log_variance}, machine.threads());
  const Node z = Placeholder(decoding, "Z", {kBatch, config.latent_units});
  const Decoder decoder = BuildDecoder(z, config);
  AddInferenceTimes(results, "decoder", decoding, z, {decoder.mean}, machine.threads());

  if (options.json) return output.Line(LineOf(results));
  for (const auto& [name, value] : results.items())
    output.Line(fmt::format("{:<16} {}", name,
                            value.is_number_float() ? fmt::format("{:.4f}", value.get<double>())
                            : value.is_string()     ? value.get<std::string>()
                                                    : value.dump()));
}

}  // namespace weft
