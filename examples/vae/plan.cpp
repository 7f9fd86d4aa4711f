// Compiles, and runs only if asked to measure.
#include "weft/examples/vae/plan.h"

#include <memory>
#include <span>
#include <string>

#include <fmt/format.h>

#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/figures.h"
#include "weft/examples/vae/model_size.h"
#include "weft/examples/vae/network.h"
#include "weft/examples/vae/profile.h"
#include "weft/examples/vae/report.h"
#include "weft/graph/compile/compile.h"
#include "weft/graph/views/text.h"

namespace weft {
namespace {

// Writes the graph after each pass as text, "training-3-Fold.txt".
class PassDump {
 public:
  PassDump(std::filesystem::path directory, std::string program)
      : directory_(std::move(directory)), program_(std::move(program)) {}

  void operator()(std::string_view pass, const Graph& graph) {
    if (!directory_.empty())
      WriteWhole(directory_ / fmt::format("{}-{}-{}.txt", program_, ++count_, pass), ToText(graph));
  }

 private:
  std::filesystem::path directory_;
  std::string program_;
  int count_ = 0;
};

struct Row {
  std::string name;
  const Graph& graph;
  CompileOptions options;
};

std::shared_ptr<const Program> PrintRow(const Row& row, const std::filesystem::path& dump, Output& output) {
  CompileOptions options = row.options;
  options.on_pass = PassDump(dump, row.name);
  const auto program = Compile(row.graph, options);
  const ProgramFigures figures = FiguresOf(*program);
  output.Line(fmt::format("{:<10} {:>7} {:>7} {:>8} {:>16} {:>14}", row.name, options.batch, figures.steps,
                          figures.buffers, Grouped(figures.arena_bytes), FlopText(figures.flops)));
  return program;
}

void PrintSpeedup(const Program& program, Output& output) {
  std::string threads, bounds;
  for (int count = 1; count <= 64; count *= 2) {
    threads += fmt::format(" {:>5}", count);
    bounds += fmt::format(" {:>5.1f}", SpeedupBound(program, count));
  }
  output.Line(fmt::format("{:<28}{}", "training, threads", threads));
  output.Line(fmt::format("{:<28}{}", "times as fast, at most", bounds));
}

}  // namespace

void PlanCommand(const PlanOptions& options, Output& output) {
  const Model described = ModelOf(options.model, options.step);
  RequireMemory(described, Memory::kTraining);
  if (!options.dump_passes.empty()) MakeEmptyDirectory(options.dump_passes);
  Graph graph;
  const TrainableModel model = BuildTrainable(graph, described, options.step);
  const Autoencoder& vae = model.vae;

  const int64_t batch = options.step.batch;
  const Row rows[] = {
      {"training", graph, TrainingRequest(model, batch)},
      {"evaluation", graph, {.fetches = {vae.loss.total.id()}, .batch = batch}},
      {"encoder", graph, {.fetches = {vae.encoder.mean.id(), vae.encoder.log_variance.id()}, .batch = batch}},
      {"decoder", graph, {.fetches = {vae.decoder.mean.id()}, .fed = {vae.encoder.sample.id()}, .batch = batch}},
  };
  output.Line(fmt::format("{:<10} {:>7} {:>7} {:>8} {:>16} {:>14}", "program", "batch", "steps", "buffers",
                          "arena bytes", "products"));
  const auto training = PrintRow(rows[0], options.dump_passes, output);
  for (const Row& row : std::span(rows).subspan(1)) PrintRow(row, options.dump_passes, output);
  PrintSpeedup(*training, output);
  output.Line(fmt::format("variables: {}, with optimizer and gradients {}",
                          ByteText(ModelBytes(described, Memory::kWeights)),
                          ByteText(ModelBytes(described, Memory::kTraining))));
  if (!options.dump_passes.empty()) output.Line(WroteText(options.dump_passes));
  if (options.measure) PrintProfile(*training, MeasureTraining(graph, model, batch), output);
}

}  // namespace weft
