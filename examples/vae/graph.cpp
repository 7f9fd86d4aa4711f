// Views of the graph.
#include "weft/examples/vae/graph.h"

#include <map>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "weft/exporters/event_file.h"
#include "weft/exporters/graph_def.h"
#include "weft/exporters/onnx.h"
#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/filter.h"
#include "weft/examples/vae/graph_json.h"
#include "weft/examples/vae/graph_page.h"
#include "weft/examples/vae/network.h"
#include "weft/examples/vae/printable.h"
#include "weft/examples/vae/report.h"
#include "weft/examples/vae/scope_option.h"
#include "weft/graph/error.h"
#include "weft/graph/runtime/file_system.h"
#include "weft/graph/runtime/session.h"
#include "weft/graph/views/dot.h"
#include "weft/graph/views/text.h"
#include "weft/ops/all_ops.h"

namespace weft {
namespace {

// What is looked at: the model's graph, or one from a file.
struct Subject {
  const GraphOptions& options;
  Graph graph = {};
  std::optional<TrainableModel> model = {};  // of a graph for training
};

Path ScopeOf(const Graph& graph, const std::string& text) {
  std::vector<Path> names;
  for (uint32_t i = 0; i < graph.size(); ++i) names.push_back(graph.name(NodeId{i}));
  return ScopeAmong(names, text);
}

// The lines about nodes of the scope; the first line names the format.
std::string LinesWithin(const std::string& text, const Path& scope) {
  std::istringstream lines(text);
  std::string line, within;
  for (bool first = true; std::getline(lines, line); first = false) {
    std::istringstream words(line);
    std::string word, subject;
    words >> word >> subject;
    const std::string& name = subject == "=" ? word : subject;  // "NAME = …", "update NAME <- …"
    if (first || (!name.empty() && name.find('"') == std::string::npos && Path(name).IsWithin(scope)))
      within += line + "\n";
  }
  return within;
}

std::string TextView(Subject& subject) {
  const Path scope = ScopeOf(subject.graph, subject.options.scope);
  return scope.is_root() ? ToText(subject.graph) : LinesWithin(ToText(subject.graph), scope);
}

std::string DotView(Subject& subject) {
  const GraphOptions& options = subject.options;
  DotOptions dot = {.scope = ScopeOf(subject.graph, options.scope), .gradients = options.training};
  if (options.depth) dot.depth = static_cast<int>(*options.depth);
  else dot.gradient_depth = 1;  // Graphviz needs minutes for all of it
  return ToDot(subject.graph, dot);
}

std::string SvgView(Subject& subject) {
  return Filtered({"dot", "-Tsvg"}, DotView(subject), "install graphviz, or take --format html, which brings its own");
}

std::string JsonView(Subject& subject) { return LineOf(GraphJson(subject.graph, subject.options.step.batch)) + "\n"; }

std::string HtmlView(Subject& subject) {
  const int64_t batch = subject.options.step.batch;
  GraphPageOptions page = {.training = subject.options.training};
  if (!subject.model) return GraphPage(subject.graph, AllOf(subject.graph, batch), page);
  if (subject.options.measure) page.profile = MeasureTraining(subject.graph, *subject.model, batch);
  return GraphPage(subject.graph, TrainingRequest(*subject.model, batch), page);
}

// With the first values of all variables.
std::string OnnxView(Subject& subject) {
  VariableStore variables(subject.graph);
  Initialize(subject.graph, variables);
  const Autoencoder& vae = subject.model.value().vae;
  return ToOnnx(InferencePartOf(subject.graph, {vae.x, vae.encoder.epsilon}, {vae.decoder.mean}), variables);
}

// TensorBoard reads directories.
void WriteEvents(const Subject& subject, Output& output) {
  MakeDirectory(subject.options.out);
  EventFile events(subject.options.out);
  events.AddGraph(ToGraphDef(subject.graph));
  output.Line(WroteText(events.path()));
}

struct Format {
  std::string (*view)(Subject&);
  std::set<std::string_view> takes;  // of the options that not all formats take
  bool needs_training = false;
};

const std::map<std::string_view, Format> kFormats = {
    {"dot", {DotView, {"--depth", "--scope", "--text"}}},
    {"html", {HtmlView, {"--measure", "--text"}, true}},
    {"json", {JsonView, {"--text"}}},
    {"onnx", {OnnxView, {}, true}},
    {"svg", {SvgView, {"--depth", "--scope", "--text"}}},
    {"tensorboard", {nullptr, {"--text"}}},
    {"text", {TextView, {"--scope", "--text"}}},
};

// The other options describe a model and its training.
const std::set<std::string_view> kOfAnyGraph = {"--batch", "--depth", "--force", "--format",
                                                "--out",   "--scope", "--text",  "--training"};

void RefuseContradictions(const GraphOptions& options) {
  const std::pair<std::string_view, bool> given[] = {{"--depth", options.depth.has_value()},
                                                     {"--measure", options.measure},
                                                     {"--scope", !options.scope.empty()},
                                                     {"--text", !options.text.empty()}};
  for (const auto& [name, is_given] : given) {
    if (!is_given || kFormats.at(options.format).takes.contains(name)) continue;
    std::string takers;
    for (const auto& [format, how] : kFormats) {
      if (how.takes.contains(name)) takers += fmt::format("{}{}", takers.empty() ? "" : " or ", format);
    }
    throw UsageError(fmt::format("contradiction: {} and --format {}: got both, expected {} with --format {} only", name,
                                 options.format, name, takers));
  }
  if (options.format == "tensorboard" && options.out.empty()) {
    throw UsageError("missing option: --out: got nothing, expected a directory for --format tensorboard");
  }
  for (const std::string& name : options.model.given) {
    if (options.text.empty() || kOfAnyGraph.contains(name)) continue;
    throw UsageError(fmt::format(
        "contradiction: {0} and --text: got both, expected {0} with the tool's models only, not a graph from a file",
        name));
  }
}

Graph ReadGraph(const std::filesystem::path& file) {
  try {
    const FileSystem system;
    const InputFile input(system, file);
    std::string text(input.size(), '\0');
    input.Read(0, std::as_writable_bytes(std::span(text)));
    return ParseText(text, FindOp);
  } catch (const GraphError& error) {
    throw CheckpointError(fmt::format("graph: {}: {}", Printable(file.native()), error.what()));
  }
}

void Build(Subject& subject) {
  const GraphOptions& options = subject.options;
  if (!options.text.empty()) {
    subject.graph = ReadGraph(options.text);
    return;
  }
  const Model model = ModelOf(options.model, options.step);
  if (options.measure || options.format == "onnx") RequireMemory(model, Memory::kTraining);
  if (options.training || kFormats.at(options.format).needs_training)
    subject.model = BuildTrainable(subject.graph, model, options.step);
  else BuildAutoencoder(subject.graph, model);
}

}  // namespace

void GraphCommand(const GraphOptions& options, Output& output) {
  RefuseContradictions(options);
  const bool is_file = !options.out.empty() && options.format != "tensorboard";
  if (is_file) RequireReplaceable(options.out, options.force);
  Subject subject{.options = options};
  Build(subject);
  if (options.format == "tensorboard") return WriteEvents(subject, output);
  const std::string view = kFormats.at(options.format).view(subject);
  if (!is_file) return output.Text(view);
  WriteWhole(options.out, view);
  output.Line(WroteText(options.out));
}

}  // namespace weft
