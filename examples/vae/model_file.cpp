// Metadata are text from outside: every number has a range, and together they must fit the file.
#include "weft/examples/vae/model_file.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "weft/examples/vae/advice.h"
#include "weft/examples/vae/arguments.h"
#include "weft/examples/vae/existing.h"
#include "weft/examples/vae/model_size.h"
#include "weft/examples/vae/network.h"
#include "weft/examples/vae/output.h"
#include "weft/examples/vae/printable.h"
#include "weft/examples/vae/run_directory.h"
#include "weft/examples/vae/text_model.h"
#include "weft/graph/error.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

constexpr WholeRange kWidths = {1, 1'000'000}, kLayers = {1, 1000}, kSides = {1, 1'000'000};

[[noreturn]] void Fail(std::string_view what, const std::filesystem::path& path, std::string_view text) {
  throw CheckpointError(fmt::format("{}: {}: {}", what, Printable(path.native()), text));
}

// ---- How large -----------------------------------------------------------------------------------------------------

// Nothing if the file says nothing of its model.
std::optional<Model> ModelIn(const Metadata& metadata, const std::filesystem::path& path) {
  std::optional<Model> text = TextModelOf(metadata, path);
  if (!text && !metadata.contains("latent")) return std::nullopt;
  const auto read = [&](const std::string& key, WholeRange range) {
    const auto found = metadata.find(key);
    try {
      return ParseWhole(key, found == metadata.end() ? std::string() : found->second, range);
    } catch (const UsageError& error) {
      Fail("model size", path, error.what());
    }
  };
  Model model = text ? *std::move(text) : Model();
  model.rows = read("rows", kSides);
  model.columns = read("columns", kSides);
  if (model.is_text()) {
    MeasureTextModel(model);
    return model;
  }
  model.config.pixels = model.rows * model.columns;
  model.config.hidden_units = read("hidden", kWidths);
  model.config.hidden_layers = static_cast<int>(read("layers", kLayers));
  model.config.latent_units = read("latent", kWidths);
  return model;
}

// Of a file that says nothing else: by the shapes of the decoder.
Model Measured(const CheckpointSummary& summary, const std::filesystem::path& file) {
  std::map<std::string, Shape> shapes;
  for (const CheckpointSummary::Variable& variable : summary.variables)
    shapes.emplace(variable.path.str(), variable.shape);
  for (const char* name : {"Decoder/FullyConnected/W", "Decoder/Logits/W"}) {
    if (const auto found = shapes.find(name); found != shapes.end() && found->second.rank() == 2) continue;
    Fail("model", file, fmt::format("got no matrix '{}', expected the variables of a variational autoencoder", name));
  }
  return MeasuredModel(shapes);
}

// ---- Which network -------------------------------------------------------------------------------------------------

bool HasVariables(Graph& graph, const Path& path) {
  return std::ranges::any_of(graph.initial_values(),
                             [&](const Graph::Pair& pair) { return graph.name(pair.first).IsWithin(path); });
}

constexpr std::string_view kNodeKey = "node.";

std::string KeyOf(std::string_view node) { return fmt::format("{}{}", kNodeKey, node); }

// Name and description of the nodes of `scope` that stand for a formula, in the order of ids.
std::vector<std::pair<std::string, std::string>> FormulaNodes(Graph& graph, const Path& scope) {
  std::vector<std::pair<std::string, std::string>> nodes;
  for (uint32_t i = 0; i < graph.size(); ++i) {
    const Node node = graph.node(NodeId{i});
    const bool is_child = node.name().IsWithin(scope) && node.name().parent() == scope;
    if (!is_child || !graph.has_stated_name(node.id()) || node.op().is_source() || HasVariables(graph, node.name()))
      continue;
    nodes.emplace_back(node.name().str(), fmt::format("{} {}", *node.op().name, ToString(node.type())));
  }
  return nodes;
}

void RequireSameNodes(const ModelFile& file, Graph& graph, const Path& scope) {
  Metadata expected;
  for (const auto& [name, description] : FormulaNodes(graph, scope)) expected[KeyOf(name)] = description;
  Metadata got;
  for (const auto& [key, description] : file.metadata) {
    if (key.starts_with(KeyOf(scope.str() + "/"))) got[key] = description;
  }
  if (got.empty() || got == expected) return;  // a file from elsewhere says nothing of its nodes
  const auto compare = [&](const std::string& key) {
    const auto text = [&key](const Metadata& nodes) { return nodes.contains(key) ? Printable(nodes.at(key)) : "none"; };
    if (text(got) == text(expected)) return;
    Fail(fmt::format("node '{}'", Printable(key.substr(kNodeKey.size()))), file.path,
         fmt::format("got {}, expected {}: it is another network; nothing was restored", text(got), text(expected)));
  };
  for (const auto& [name, description] : FormulaNodes(graph, scope))
    compare(KeyOf(name));  // in the order of the network
  for (const auto& [key, description] : got) compare(key);
}

}  // namespace

Model MeasuredModel(const std::map<std::string, Shape>& shapes) {
  Model model;
  VaeConfig& config = model.config;
  const auto measure = [&shapes](int64_t& size, std::initializer_list<std::pair<const char*, size_t>> axes) {
    std::map<int64_t, int> votes;
    for (const auto& [variable, axis] : axes) {
      const auto found = shapes.find(variable);
      if (found != shapes.end() && found->second.rank() > axis) ++votes[found->second[axis].length()];
    }
    if (!votes.empty()) size = std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; })->first;
  };
  measure(config.latent_units, {{"Encoder/Mean/W", 1},
                                {"Encoder/Mean/b", 0},
                                {"Encoder/LogVariance/W", 1},
                                {"Encoder/LogVariance/b", 0},
                                {"Decoder/FullyConnected/W", 0}});
  measure(config.hidden_units, {{"Encoder/FullyConnected/W", 1},
                                {"Encoder/FullyConnected/b", 0},
                                {"Decoder/FullyConnected/W", 1},
                                {"Decoder/FullyConnected/b", 0},
                                {"Decoder/Logits/W", 0}});
  measure(config.pixels, {{"Encoder/FullyConnected/W", 0}, {"Decoder/Logits/W", 1}, {"Decoder/Logits/b", 0}});

  const auto has_layer = [&shapes](int layer) {
    const std::string counter = layer == 0 ? "" : fmt::format("_{}", layer);
    return shapes.contains("Encoder/FullyConnected" + counter + "/W") ||
           shapes.contains("Decoder/FullyConnected" + counter + "/W");
  };
  int layers = 0;
  while (has_layer(layers)) ++layers;
  if (layers > 0) config.hidden_layers = layers;

  const auto side = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(config.pixels))));
  const bool square = side * side == config.pixels;
  model.rows = square ? side : 1;
  model.columns = square ? side : config.pixels;
  return model;
}

Metadata DescribeModel(const Model& model, Graph& graph) {
  Metadata metadata = {{"model", "variational autoencoder"},
                       {"rows", std::to_string(model.rows)},
                       {"columns", std::to_string(model.columns)},
                       {"latent", std::to_string(model.config.latent_units)}};
  if (model.is_text()) {
    metadata.merge(DescribeTextModel(model));
  } else {
    metadata["hidden"] = std::to_string(model.config.hidden_units);
    metadata["layers"] = std::to_string(model.config.hidden_layers);
  }
  for (const char* scope : {"Encoder", "Decoder"}) {
    for (const auto& [name, description] : FormulaNodes(graph, scope)) metadata[KeyOf(name)] = description;
  }
  return metadata;
}

ModelFile OpenModel(const std::filesystem::path& from) {
  RequireExists(from);
  ModelFile file = {.path = std::filesystem::is_directory(from) ? NewestGeneration(from).weights : from};
  CheckpointSummary summary = WithAdvice(kCheckpointAdvice, [&] { return Inspect(file.path); });
  const std::optional<Model> model = ModelIn(summary.metadata, file.path);
  file.model = model ? *model : Measured(summary, file.path);
  file.metadata = std::move(summary.metadata);
  // Before anything of that size is allocated. A part of a model may be missing from the file, as Restore will say.
  const double expected = ModelBytes(file.model, Memory::kWeights);
  if (expected > 3 * static_cast<double>(summary.file_bytes) + (1 << 20)) {
    Fail("model size", file.path,
         fmt::format("got {}, expected {} for {}", ByteText(static_cast<double>(summary.file_bytes)),
                     ByteText(expected), SizesText(file.model)));
  }
  return file;
}

void RestorePart(const ModelFile& file, Graph& graph, std::string_view scope, VariableStore& store) {
  RequireSameNodes(file, graph, scope);
  const bool all = file.model.is_text();
  const RestoreReport report =
      WithAdvice(kCheckpointAdvice, [&] { return Restore(file.path, {.scope = all ? Path() : Path(scope)}, store); });
  Note(fmt::format("restored {} variables of {} from {}", report.restored.size(), all ? "the model" : scope,
                   Printable(file.path.native())));
}

}  // namespace weft
