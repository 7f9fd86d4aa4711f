// Times from the session, work from the plan, limits from the processor.
#include "weft/examples/vae/profile.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "weft/examples/vae/bench.h"
#include "weft/examples/vae/figures.h"
#include "weft/examples/vae/limits.h"
#include "weft/graph/op.h"
#include "weft/graph/runtime/session.h"

namespace weft {
namespace {

// Medians of as many runs as fit into three seconds.
std::vector<double> MeasureSteps(PreparedRun& run) {
  const std::vector<double> first = run.Profile(1);
  const double once = std::accumulate(first.begin(), first.end(), 0.0);
  return run.Profile(static_cast<int>(std::clamp(3 / once, 5.0, 1000.0)));
}

std::string ShapeOf(const Graph& graph, NodeId id) {
  std::string text = ToString(graph.type(id));
  if (*graph.op(id).name != "MatMul") return text;
  const int64_t rows = graph.type(id).shape[0].length();
  return text + fmt::format(", depth {}", ElementCount(graph.type(graph.operands(id)[0]).shape) / rows);
}

// The rate of what binds the step, multiply-adds or bytes, and how much of the limit that is.
std::string RateOf(const StepFigures& figures, double seconds, const Limits& limits) {
  const Bandwidth& bandwidth = limits.LevelOf(figures.bytes);
  const double bytes = static_cast<double>(figures.bytes), least_for_bytes = bytes / bandwidth.triad,
               least_for_flops = figures.flops / limits.flops;
  if (least_for_flops > least_for_bytes)
    return fmt::format("{:7.1f} GFLOP/s {:4.0f} % of peak", figures.flops / seconds / 1e9,
                       100 * least_for_flops / seconds);
  return fmt::format("{:7.1f} GB/s    {:4.0f} % of {}", bytes / seconds / 1e9, 100 * least_for_bytes / seconds,
                     bandwidth.level);
}

struct Sum {
  size_t steps = 0;
  double seconds = 0, flops = 0;
};

void PrintSums(std::string_view title, const std::map<std::string, Sum>& sums, Output& output) {
  std::vector<std::pair<std::string, Sum>> rows(sums.begin(), sums.end());
  std::ranges::sort(rows, std::greater(), [](const auto& row) { return row.second.seconds; });
  double all = 0;
  for (const auto& [name, sum] : rows) all += sum.seconds;
  output.Line("");
  output.Line(fmt::format("{:<18} {:>5} {:>10} {:>5}   GFLOP/s", title, "steps", "ms", "%"));
  for (const auto& [name, sum] : rows)
    output.Line(fmt::format("{:<18} {:>5} {:>10.3f} {:>5.1f}   {}", name, sum.steps, 1e3 * sum.seconds,
                            100 * sum.seconds / all,
                            sum.flops > 0 ? fmt::format("{:.1f}", sum.flops / sum.seconds / 1e9) : "-"));
}

void PrintLimits(const Limits& limits, Output& output) {
  std::string line = fmt::format("one thread at best: {:.0f} GFLOP/s", limits.flops / 1e9);
  for (const Bandwidth& each : limits.bandwidths) line += fmt::format("; {} {:.0f} GB/s", each.level, each.triad / 1e9);
  output.Line(line);
}

}  // namespace

void PrintProfile(Graph& graph, const TrainableModel& model, int64_t batch, Output& output) {
  VariableStore variables(graph);
  Initialize(graph, variables);
  Session session(graph, variables, {.threads = 1});
  const Node loss = model.vae.loss.total;
  std::vector<Node> guards = Guards(model);
  guards.push_back(loss);
  PreparedRun run =
      session.Prepare({loss}, {.mode = Mode::kTraining, .updates = true, .batch = batch, .guards = guards});
  std::ranges::copy(RandomImages(batch, model.vae.x.shape()[1].length()), run.Input<float>(model.vae.x).begin());

  const Limits limits = MeasureLimits(1);
  const std::vector<double> seconds = MeasureSteps(run);
  const Program& program = run.program();
  const std::vector<StepFigures> figures = StepFiguresOf(program);
  output.Line("");
  PrintLimits(limits, output);
  output.Line("");
  output.Line(
      fmt::format("{:>4} {:>9} {:>15} {:>16}   {:<16} {}", "step", "us", "rate", "of the limit", "kind", "node"));
  std::map<std::string, Sum> kinds, scopes;
  Sum all;
  for (StepId id = 0; id < program.steps.size(); ++id) {
    const Step& step = program.steps[id];
    const Path& name = program.graph.name(step.origin);
    const std::string kind = KindOf(program, step, figures[id]);
    output.Line(fmt::format("{:>4} {:>9.1f} {:<32}   {:<16} {}: {}", id, 1e6 * seconds[id],
                            RateOf(figures[id], seconds[id], limits), kind, name.str(),
                            ShapeOf(program.graph, step.origin)));
    for (Sum* sum : {&kinds[kind], &all, &scopes[name.str().substr(0, name.str().find('/'))]}) {
      ++sum->steps;
      sum->seconds += seconds[id];
      sum->flops += figures[id].flops;
    }
  }
  PrintSums("kind", kinds, output);
  PrintSums("scope", scopes, output);
  output.Line("");
  output.Line(fmt::format("{} steps, {:.3f} ms one after the other on one thread", all.steps, 1e3 * all.seconds));
}

}  // namespace weft
