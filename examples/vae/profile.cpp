// Times from the session, work from the plan, limits from the processor.
#include "weft/examples/vae/profile.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "weft/examples/vae/bench.h"
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

std::string RateText(const Rate& rate) {
  return fmt::format("{:7.1f} {:<7} {:4.0f} % of {}", rate.per_second / 1e9, rate.is_of_flops ? "GFLOP/s" : "GB/s",
                     100 * rate.share, rate.limit);
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

CompileOptions TrainingRequest(const TrainableModel& model, int64_t batch) {
  const NodeId loss = model.vae.loss.total.id();
  std::vector<NodeId> guards = {loss};
  for (const Node& guard : Guards(model)) guards.push_back(guard.id());
  return {.fetches = {loss}, .updates = true, .guards = guards, .batch = batch, .mode = Mode::kTraining};
}

Profile MeasureTraining(Graph& graph, const TrainableModel& model, int64_t batch) {
  const CompileOptions request = TrainingRequest(model, batch);
  std::vector<Node> guards;
  for (const NodeId guard : request.guards) guards.push_back(graph.node(guard));
  VariableStore variables(graph);
  Initialize(graph, variables);
  Session session(graph, variables, {.threads = 1});
  PreparedRun run = session.Prepare({model.vae.loss.total},
                                    {.mode = request.mode, .updates = true, .batch = batch, .guards = guards});
  std::ranges::copy(RandomImages(batch, model.vae.x.shape()[1].length()), run.Input<float>(model.vae.x).begin());

  return {.limits = MeasureLimits(1), .seconds = MeasureSteps(run)};
}

Rate RateOf(const StepFigures& figures, double seconds, const Limits& limits) {
  const Bandwidth& bandwidth = limits.LevelOf(figures.bytes);
  const double bytes = static_cast<double>(figures.bytes), least_for_bytes = bytes / bandwidth.triad,
               least_for_flops = figures.flops / limits.flops;
  if (least_for_flops > least_for_bytes) return {figures.flops / seconds, true, least_for_flops / seconds, "peak"};
  return {bytes / seconds, false, least_for_bytes / seconds, bandwidth.level};
}

void PrintProfile(const Program& program, const Profile& profile, Output& output) {
  const auto& [limits, seconds] = profile;
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
                            RateText(RateOf(figures[id], seconds[id], limits)), kind, name.str(),
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
