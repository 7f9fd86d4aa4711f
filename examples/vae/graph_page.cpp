// What the page is told, as JSON; how that is drawn is pages/graph.js.
#include "weft/examples/vae/graph_page.h"

#include <algorithm>
#include <set>
#include <vector>

#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/graph_json.h"
#include "weft/examples/vae/page.h"
#include "weft/graph/op.h"
#include "weft/graph/views/picture.h"

namespace weft {
namespace {

constexpr std::string_view kLayout = "graphviz.js", kFormulas = "op_formulas.txt";

std::string_view NameOf(BoxKind kind) {
  switch (kind) {
    case BoxKind::kPlaceholder: return "placeholder";
    case BoxKind::kVariable: return "variable";
    case BoxKind::kConstant: return "constant";
    case BoxKind::kRandom: return "random";
    case BoxKind::kGradient: return "gradient";
    case BoxKind::kUpdate: return "update";
    case BoxKind::kOp:
    case BoxKind::kScope:
    case BoxKind::kOutside: break;
  }
  return "op";
}

// The graph as for everybody, and what each node is drawn as: itself, with its lines; another node; nothing.
Json DrawnGraphJson(std::string_view name, const Graph& graph, int64_t batch) {
  Json json = GraphJson(graph, batch);
  json.erase("edges");  // the operands say it
  json["name"] = name;
  const Picture picture = DrawnPart(graph, {});
  for (uint32_t i = 0; i < graph.size(); ++i) {
    const NodeId box = picture.box[i];
    Json& node = json["nodes"][i];
    if (box == kNoNode) continue;
    node["box"] = Index(box);
    if (box != NodeId{i}) continue;
    node["drawn"] = NameOf(picture.boxes.at(box).kind);
    node["lines"] = picture.boxes.at(box).lines;
  }
  return json;
}

void AddNodes(const Link& link, std::set<uint32_t>& nodes) {
  if (link.origin != kNoNode) nodes.insert(Index(link.origin));
  for (const Instruction& instruction : link.program.instructions) nodes.insert(Index(instruction.node));
}

Json StepJson(const Program& program, StepId id, const StepFigures& figures, const std::optional<Profile>& profile) {
  const Step& step = program.steps[id];
  std::set<uint32_t> nodes;
  AddNodes(step, nodes);
  for (const Link& link : step.chain) AddNodes(link, nodes);
  const auto successors = program.successors(id);
  Json json = {{"kind", KindOf(program, step, figures)},
               {"node", Index(step.origin)},
               {"nodes", nodes},
               {"reads", step.reads},
               {"writes", step.writes},
               {"successors", std::vector<StepId>(successors.begin(), successors.end())},
               {"tasks", (step.blocks + step.grain - 1) / step.grain},
               {"cycles", step.cycles},
               {"flops", figures.flops},
               {"bytes", figures.bytes}};
  if (!profile) return json;
  const double seconds = profile->seconds.at(id);
  const Rate rate = RateOf(figures, seconds, profile->limits);
  json["seconds"] = seconds;
  json["rate"] = {{"per_second", rate.per_second},
                  {"unit", rate.is_of_flops ? "FLOP/s" : "B/s"},
                  {"share", rate.share},
                  {"limit", rate.limit}};
  return json;
}

Json BuffersJson(const Program& program) {
  static constexpr std::string_view kKinds[] = {"arena", "store", "program", "strip"};
  Json json = Json::array();
  for (const Buffer& buffer : program.buffers) {
    json.push_back({{"kind", kKinds[static_cast<size_t>(buffer.kind)]},
                    {"node", buffer.node == kNoNode ? Json() : Json(Index(buffer.node))},
                    {"bytes", buffer.bytes},
                    {"offset", buffer.offset},
                    {"pinned", buffer.pinned}});
  }
  return json;
}

Json ProgramJson(const Program& program, const std::optional<Profile>& profile) {
  const std::vector<StepFigures> figures = StepFiguresOf(program);
  Json steps = Json::array();
  for (StepId id = 0; id < program.steps.size(); ++id) steps.push_back(StepJson(program, id, figures[id], profile));
  return {{"steps", steps},
          {"buffers", BuffersJson(program)},
          {"arena_bytes", program.arena_bytes},
          {"sequential", program.sequential}};
}

}  // namespace

CompileOptions AllOf(const Graph& graph, int64_t batch) {
  CompileOptions request = {.updates = true, .mode = Mode::kTraining};
  std::vector<bool> is_next(graph.size());
  for (const auto& pairs : {graph.updates(), graph.initial_values()}) {
    for (const auto& [variable, value] : pairs) is_next[Index(value)] = true;
  }
  for (uint32_t i = 0; i < graph.size(); ++i) {
    const Shape& shape = graph.type(NodeId{i}).shape;
    for (size_t axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis].is_batch()) request.batch = batch;
    }
    if (graph.uses(NodeId{i}).empty() && !is_next[i]) request.fetches.push_back(NodeId{i});
  }
  return request;
}

std::map<std::string_view, std::string_view> OpFormulas() {
  std::map<std::string_view, std::string_view> formulas;
  std::string_view rest = Embedded(kFormulas);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    formulas.emplace(line.substr(0, line.find_first_of("(:")), line);
  }
  return formulas;
}

std::string GraphPage(const Graph& graph, const CompileOptions& request, const GraphPageOptions& options) {
  if (!IsEmbedded(kLayout)) {
    throw UsageError(
        "format: html: got a tool built where npm was not found, expected one with Graphviz for browsers in it; "
        "install npm and configure again");
  }
  const int64_t batch = std::max<int64_t>(request.batch, 1);
  Json graphs = Json::array({DrawnGraphJson("as built", graph, batch)});
  CompileOptions shown = request;
  shown.on_pass = [&](std::string_view pass, const Graph& now) { graphs.push_back(DrawnGraphJson(pass, now, batch)); };
  const auto program = Compile(graph, shown);
  const Json data = {{"batch", request.batch < 0 ? Json() : Json(request.batch)},
                     {"training", options.training},
                     {"formulas", OpFormulas()},
                     {"graphs", graphs},
                     {"program", ProgramJson(*program, options.profile)}};
  return Page("graph.html", {{"data.json", LineOf(data)}});
}

}  // namespace weft
