// A text is from outside: whatever is wrong with it is an error of that file.
#include "weft/examples/vae/text_model.h"

#include <charconv>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "weft/examples/vae/byte_stream.h"
#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/printable.h"
#include "weft/graph/error.h"
#include "weft/graph/path.h"

namespace weft {
namespace {

constexpr const char* kTextKey = "model text";
constexpr const char* kParameterKey = "parameter.";

using ParameterValue = ModelParameters::mapped_type;

template <class Function>
auto OfFile(const Function& function) {
  try {
    return function();
  } catch (const GraphError& error) {
    throw CheckpointError(error.what());
  }
}

// ---- Roles ---------------------------------------------------------------------------------------------------------

class Roles {
 public:
  Roles(const Model& model, const ModelText& built) : model_(model), built_(built) {}

  Node Of(std::string_view role) const {
    const auto found = built_.roles.find(role);
    if (found != built_.roles.end()) return found->second;
    std::vector<std::string_view> known;
    for (const auto& [name, node] : built_.roles) known.push_back(name);
    throw CheckpointError(
        fmt::format("model: {}: got no role '{}', expected one{}", model_.title, role, DidYouMean(role, known)));
  }
  Node Of(std::string_view role, const Shape& shape) const {
    const Node node = Of(role);
    if (node.dtype() != DType::kFloat32 || node.shape() != shape) Fail(role, ToString(TensorType{.shape = shape}));
    return node;
  }
  // k of [N, k].
  int64_t WidthOf(std::string_view role) const {
    const Shape& shape = Of(role).shape();
    if (shape.rank() != 2 || shape[1].is_batch()) Fail(role, "f32[N, …]");
    return shape[1].length();
  }

 private:
  [[noreturn]] void Fail(std::string_view role, std::string_view expected) const {
    throw CheckpointError(fmt::format("model: {}: role '{}': got {}, expected {}", model_.title, role,
                                      ToString(Of(role).type()), expected));
  }

  const Model& model_;
  const ModelText& built_;
};

ModelText Parsed(Graph& graph, const Model& model) {
  return OfFile([&] { return ParseModel(graph, model.text, model.parameters, "model: " + model.title); });
}

Autoencoder NodesOf(const Model& model, const ModelText& built) {
  const Roles roles(model, built);
  const int64_t pixels = model.rows * model.columns;
  const Shape latent = {kBatch, roles.WidthOf("mean")};
  const Shape pictures = {kBatch, pixels > 0 ? pixels : roles.WidthOf("input")};
  return {.x = roles.Of("input", pictures),
          .encoder = {.mean = roles.Of("mean", latent),
                      .log_variance = roles.Of("log_variance", latent),
                      .epsilon = roles.Of("noise", latent),
                      .sample = roles.Of("latent", latent)},
          .decoder = {.mean = roles.Of("picture", pictures)},
          .loss = {.reconstruction = roles.Of("reconstruction", {kBatch}),
                   .divergence = roles.Of("divergence", {kBatch}),
                   .total = roles.Of("loss", {})}};
}

// By the kind of the default.
ParameterValue ParseParameter(const std::string& text, const ParameterValue& standard) {
  if (std::holds_alternative<std::string>(standard)) return text;
  if (std::holds_alternative<bool>(standard)) {
    if (text != "true" && text != "false")
      throw UsageError(fmt::format("got '{}', expected true or false", Printable(text)));
    return text == "true";
  }
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
    throw UsageError(fmt::format("got '{}', expected a number", Printable(text)));
  return number;
}

}  // namespace

std::string ReadModelText(const std::filesystem::path& file) {
  try {
    const ByteStream stream = OpenFile(file);
    std::string text(kMaxModelText + 1, '\0');
    text.resize(stream.read({reinterpret_cast<uint8_t*>(text.data()), text.size()}));
    if (text.empty() || text.size() > kMaxModelText) {
      throw CheckpointError(fmt::format("model: {}: got {} bytes, expected a text of 1 to {}", Printable(file.native()),
                                        text.empty() ? "no" : "more", kMaxModelText));
    }
    return text;
  } catch (const DataError& error) {
    throw CheckpointError(error.what());
  }
}

ModelParameters GivenParameters(const ModelOptions& options, const StepOptions& step, const Model& model) {
  const ModelParameters declared = OfFile([&] { return ParametersOf(model.text, "model: " + model.title); });
  std::vector<std::string_view> names;
  for (const auto& [name, standard] : declared) names.push_back(name);
  const auto require = [&](std::string_view option, const std::string& name) {
    if (declared.contains(name)) return;
    throw UsageError(fmt::format("value: {}: {}: got the parameter '{}', expected {}{}{}", option, model.title,
                                 Printable(name), names.empty() ? "none" : "one of ", fmt::join(names, ", "),
                                 DidYouMean(name, names)));
  };
  ModelParameters given;
  for (const auto& [name, text] : options.set) {
    require("--set", name);
    try {
      given[name] = ParseParameter(text, declared.at(name));
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("value: --set {}: {}", name, error.what()));
    }
  }
  const std::pair<std::string, std::string> named[] = {{"hidden", fmt::format("{}", options.hidden)},
                                                       {"layers", fmt::format("{}", options.layers)},
                                                       {"latent", fmt::format("{}", options.latent)},
                                                       {"init", options.init},
                                                       {"beta", fmt::format("{}", step.beta)}};
  for (const auto& [name, text] : named) {
    const std::string option = "--" + name;
    if (!options.given.contains(option)) continue;
    require(option, name);
    if (given.contains(name))
      throw UsageError(fmt::format("contradiction: {} and --set {}: got both, expected one of them", option, name));
    given[name] = ParseParameter(text, declared.at(name));
  }
  if (model.rows > 0 && declared.contains("pixels"))
    given.emplace("pixels", static_cast<double>(model.rows * model.columns));
  return given;
}

void MeasureTextModel(Model& model) {
  Graph graph;
  const ModelText built = Parsed(graph, model);
  const Autoencoder nodes = NodesOf(model, built);
  model.parameters = built.parameters;
  model.config.latent_units = nodes.encoder.mean.shape()[1].length();
  model.config.pixels = nodes.x.shape()[1].length();
  if (model.rows > 0) return;
  model.rows = 1;
  model.columns = model.config.pixels;
}

Autoencoder BuildTextModel(Graph& graph, const Model& model) { return NodesOf(model, Parsed(graph, model)); }

Metadata DescribeTextModel(const Model& model) {
  Metadata metadata = {{kTextKey, model.text}};
  for (const auto& [name, value] : model.parameters) metadata[kParameterKey + name] = TextOf(value);
  return metadata;
}

std::optional<Model> TextModelOf(const Metadata& metadata, const std::filesystem::path& file) {
  const auto text = metadata.find(kTextKey);
  if (text == metadata.end()) return std::nullopt;
  Model model = {.text = text->second, .title = Printable(file.native())};
  model.parameters = OfFile([&] { return ParametersOf(model.text, "model: " + model.title); });
  for (auto& [name, value] : model.parameters) {
    const auto found = metadata.find(kParameterKey + name);
    if (found == metadata.end()) continue;
    try {
      value = ParseParameter(found->second, value);
    } catch (const UsageError& error) {
      throw CheckpointError(fmt::format("model: {}: parameter '{}': {}", model.title, name, error.what()));
    }
  }
  return model;
}

std::string TextOf(const ParameterValue& value) {
  return std::visit([](const auto& each) { return fmt::format("{}", each); }, value);
}

std::string ParameterText(const ModelParameters& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, TextOf(value));
  return text;
}

}  // namespace weft
